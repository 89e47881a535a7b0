import { expect, it } from 'vitest';
import { tellingWords, withinRelease } from '../../../deployer/deployment/last-words.ts';

const RELEASE = '/var/lib/deployer/releases/0123abcd';

it.each([
  [
    'a syntax error that Node finds',
    `file://${RELEASE}/app/routes.ts:41
function (;
         ^

SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expected ident
    at parseTypeScript (node:internal/modules/typescript:68:40)

Node.js v26.10.0`,
    'app/routes.ts:41: SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expected ident',
  ],
  [
    'an error that is thrown in a dependency',
    `node:internal/process/promises:394
Error: SQLITE_CANTOPEN
    at Database.open (file://${RELEASE}/node_modules/better/index.js:5:9)
    at connect (file://${RELEASE}/app/database/open.ts:17:3)
    at main (file://${RELEASE}/app/server.ts:9:3)`,
    'app/database/open.ts:17: Error: SQLITE_CANTOPEN',
  ],
  [
    'a package that is missing',
    `Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad' imported from ${RELEASE}/app/serve.ts
    at finalizeResolution (node:internal/modules/esm/resolve:274:11)`,
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad' imported from app/serve.ts",
  ],
  [
    'a Python traceback, innermost frame last',
    `Traceback (most recent call last):
  File "${RELEASE}/server.py", line 80, in <module>
    main()
  File "${RELEASE}/notes.py", line 12, in main
    connect(None)
  File "/usr/lib/python3.11/sqlite3.py", line 3, in connect
TypeError: expected a path`,
    'notes.py:12: TypeError: expected a path',
  ],
  [
    'a Perl program that dies',
    `no such table: notes at ${RELEASE}/app.pl line 14.`,
    'app.pl:14: no such table: notes at app.pl line 14.',
  ],
  [
    'a structured log',
    `{"level":30,"msg":"starting"}
{"level":60,"err":{"message":"SMTP_URL is missing"},"msg":"cannot start"}`,
    'SMTP_URL is missing',
  ],
  [
    'a plain line',
    'SMTP_URL is missing: set it to smtp://host\n',
    'SMTP_URL is missing: set it to smtp://host',
  ],
  ['nothing', '\n', 'it said nothing'],
])('says why a program ended: %s', (_, output, expected) => {
  expect(tellingWords(output, RELEASE)).toBe(expected);
});

it('is one line of at most 300 characters, without control characters', () => {
  const words = tellingWords(`Error: a\u001b[31mb${'x'.repeat(5000)}`, RELEASE);
  expect(words).toHaveLength(300);
  expect(words).toMatch(/^Error: a \[31mbx+…$/);
});

it('does not tell where the release lies on this machine', () => {
  expect(withinRelease(`cannot start "x" in ${RELEASE}: see ${RELEASE}/a.ts`, RELEASE)).toBe(
    'cannot start "x" in the release: see a.ts',
  );
});

it('does not say where the data lies on this machine', () => {
  expect(withinRelease(`cannot open /var/lib/deployer/data/dev/g1/shop.db`, RELEASE)).toBe(
    'cannot open $DEPLOYER_HOME/data/dev/g1/shop.db',
  );
});
