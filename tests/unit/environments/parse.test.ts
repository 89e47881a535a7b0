import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { EnvironmentError, parseEnvironment } from '../../../environments/parse.ts';
import { thrown } from '../scratch.ts';

const FILE = 'environments/dev.yaml';
const LEAST = { name: 'dev', branch: 'dev', listen: '127.0.0.1:8001', commands: { start: 'node server.js' } };

const parse = (more: object, file = FILE) => parseEnvironment(stringify({ ...LEAST, ...more }), file);

function complaint(text: string, file = FILE): string {
  const { message } = thrown(EnvironmentError, () => parseEnvironment(text, file));
  expect(message).not.toContain('\n');
  return message;
}

describe('an environment', () => {
  it('needs only a name, a branch, an address and a command; everything else has a default, times in milliseconds', () => {
    expect(parse({})).toEqual({
      ...LEAST,
      verify: { timeout: 120_000 },
      boot: { timeout: 30_000 },
      migrations: { 'require-reversible': false },
      cutover: { hold: 10_000, settle: 60_000 },
      revert: 'pull-request',
      backups: { 'before-deploy': false, keep: 5, schedule: {} },
    });
  });

  it('has the same defaults in sections that are given in part', () => {
    expect(
      parse({ cutover: { settle: '5s' }, backups: { keep: 2 }, verify: { suites: ['service'] } }),
    ).toMatchObject({
      cutover: { hold: 10_000, settle: 5000 },
      backups: { 'before-deploy': false, keep: 2, schedule: {} },
      verify: { suites: ['service'], timeout: 120_000 },
    });
  });

  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['24d', 2_073_600_000],
  ])('reads %s as %i milliseconds', (text, milliseconds) => {
    expect(parse({ cutover: { settle: text } }).cutover.settle).toBe(milliseconds);
  });

  it.each([
    [{ cutover: { hold: '2h' } }, 'cutover.hold: expected 1ms to 1h'],
    [{ cutover: { hold: '0s' } }, 'cutover.hold: expected 1ms to 1h'],
    [{ backups: { schedule: { database: '0s' } } }, 'backups.schedule.database: expected 1m to 24d'],
  ])('is refused with what no machine can do: %j', (more, message) => {
    expect(complaint(stringify({ ...LEAST, ...more }))).toContain(message);
  });

  it('is what the contract writes', () => {
    const text = `
name: prod
branch: main                     # the branch that this environment follows
url: https://rfc.themetalayer.org
listen: 127.0.0.1:8000           # the front door (dev: 8001)
requires: dev                    # promotion gate: only trees that dev has verified
commands:                        # run in the release, unprivileged, without the deployer's secrets
  install: npm ci --omit=dev
  start: node app/server.ts
  migrate: node migrations/run.ts
  verify: node verify/run.ts
database: { client: better-sqlite3, file: datatracker.db }   # or { client: pg, url-from: DATABASE_URL }
verify: { suites: [service, routes, database, content, integrity, regressions], timeout: 120s }
boot: { timeout: 30s }            # until health answers 200
migrations: { require-reversible: true }   # reject a migration that cannot be taken back
cutover: { hold: 10s, settle: 60s }
revert: pull-request             # what a rolled-back commit gets on its branch: pull-request, push or off
backups: { before-deploy: true, keep: 10, schedule: { database: 1h, full: 1d } }
service: { unit: datatracker }
`;
    expect(parseEnvironment(text, 'environments/prod.yaml')).toEqual({
      name: 'prod',
      branch: 'main',
      url: 'https://rfc.themetalayer.org',
      listen: '127.0.0.1:8000',
      requires: 'dev',
      commands: {
        install: 'npm ci --omit=dev',
        start: 'node app/server.ts',
        migrate: 'node migrations/run.ts',
        verify: 'node verify/run.ts',
      },
      database: { client: 'better-sqlite3', file: 'datatracker.db' },
      verify: {
        suites: ['service', 'routes', 'database', 'content', 'integrity', 'regressions'],
        timeout: 120_000,
      },
      boot: { timeout: 30_000 },
      migrations: { 'require-reversible': true },
      cutover: { hold: 10_000, settle: 60_000 },
      revert: 'pull-request',
      backups: {
        'before-deploy': true,
        keep: 10,
        schedule: { database: 3_600_000, full: 86_400_000 },
      },
      service: { unit: 'datatracker' },
    });
  });

  it('may have a PostgreSQL database, whose address is a secret of the host', () => {
    const database = { client: 'pg', 'url-from': 'DATABASE_URL' };
    expect(parse({ database }).database).toEqual(database);
  });
});

describe('an unknown key is an error that names it', () => {
  it.each([
    [{ lisen: 'x' }, '', 'lisen'],
    [{ commands: { start: 'x', strat: 'x' } }, 'commands: ', 'strat'],
    [{ database: { client: 'pg', 'url-from': 'X', url: 'x' } }, 'database: ', 'url'],
    [{ verify: { suits: [] } }, 'verify: ', 'suits'],
    [{ boot: { time: '1s' } }, 'boot: ', 'time'],
    [{ migrations: { reversible: true } }, 'migrations: ', 'reversible'],
    [{ cutover: { setle: '1s' } }, 'cutover: ', 'setle'],
    [{ backups: { schedule: { weekly: '7d' } } }, 'backups.schedule: ', 'weekly'],
    [{ service: { unit: 'x', user: 'root' } }, 'service: ', 'user'],
  ])('%j', (more, where, key) => {
    const message = complaint(stringify({ ...LEAST, ...more }));
    expect(message).toMatch(new RegExp(`^${FILE}:\\d+: ${where}unknown key "${key}"`));
  });

  it('goes before the key that is missing because of it', () => {
    const { listen, ...rest } = LEAST;
    expect(complaint(stringify({ ...rest, lisen: listen }))).toContain('"lisen"');
  });
});

describe('a malformed field is an error that names its path', () => {
  it.each([
    ['name', { name: 'Dev' }],
    ['name', { name: '../dev' }],
    ['branch', { branch: '' }],
    ['url', { url: 'rfc.themetalayer.org' }],
    ['url', { url: 'javascript:alert(1)' }],
    ['listen', { listen: 8001 }],
    ['listen', { listen: '8001' }],
    ['listen', { listen: '127.0.0.1:65536' }],
    ['requires', { requires: 'a b' }],
    ['commands', { commands: 'npm start' }],
    ['commands.start', { commands: {} }],
    ['commands.start', { commands: { start: '  ' } }],
    ['commands.migrate', { commands: { start: 'x', migrate: ['x'] } }],
    ['database.client', { database: { client: 'mysql' } }],
    ['database.file', { database: { client: 'better-sqlite3', file: '../other.db' } }],
    ['database.file', { database: { client: 'better-sqlite3', file: '.hidden' } }],
    ['database.url-from', { database: { client: 'pg', 'url-from': 'postgres://x' } }],
    ['verify.suites', { verify: { suites: [] } }],
    ['verify.suites.1', { verify: { suites: ['service', '--all'] } }],
    ['verify.timeout', { verify: { timeout: 120 } }],
    ['boot.timeout', { boot: { timeout: '30' } }],
    ['boot.timeout', { boot: { timeout: '-1s' } }],
    ['boot.timeout', { boot: { timeout: '1.5s' } }],
    ['boot.timeout', { boot: { timeout: '25d' } }],
    ['migrations.require-reversible', { migrations: { 'require-reversible': 'yes' } }],
    ['cutover.hold', { cutover: { hold: '10 s' } }],
    ['cutover.settle', { cutover: { settle: null } }],
    ['revert', { revert: 'force' }],
    ['revert', { revert: false }],
    ['backups.before-deploy', { backups: { 'before-deploy': 1 } }],
    ['backups.keep', { backups: { keep: 0 } }],
    ['backups.keep', { backups: { keep: 1.5 } }],
    ['backups.schedule.database', { backups: { schedule: { database: 'hourly' } } }],
    ['service.unit', { service: { unit: '../x' } }],
  ])('%s in %j', (path, more) => {
    expect(complaint(stringify({ ...LEAST, ...more }))).toMatch(
      new RegExp(`^${FILE}(:\\d+)?: ${path.replaceAll('.', String.raw`\.`)}: `),
    );
  });

  it.each(Object.keys(LEAST))('%s is required', (key) => {
    expect(complaint(stringify({ ...LEAST, [key]: undefined }))).toContain(`${FILE}: ${key}: `);
  });
});

describe('a file that is none', () => {
  it('is named, with the place', () => {
    expect(complaint('name: dev\nbranch: [')).toMatch(/^environments\/dev\.yaml:2: is no YAML: .*\D$/);
  });

  it.each([
    ['is empty', ''],
    ['is a list', '- a'],
    ['is a word', 'dev'],
    ['holds two documents', 'name: dev\n---\nname: prod'],
    ['gives a key twice', 'name: dev\nname: prod'],
    ['has an alias that points nowhere', 'name: *nobody'],
    ['has an environment in the name of another', stringify({ ...LEAST, name: 'prod' })],
  ])('%s', (_what, text) => {
    expect(complaint(text)).toMatch(/^environments\/dev\.yaml(:\d+)?: /);
  });

  it('multiplies by aliases without end', () => {
    const levels = 'abcdefghijkl'.split('').map((name, index, all) => {
      const inner = index === 0 ? '"lol"' : Array.from({ length: 9 }, () => `*${all[index - 1]}`).join(', ');
      return `${name}: &${name} [${inner}]`;
    });
    expect(complaint(levels.join('\n'))).toMatch(/^environments\/dev\.yaml: .*alias/i);
  });

  it('reaches for the prototype of objects', () => {
    complaint(`${stringify(LEAST)}__proto__: { polluted: true }\n`);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('the environments of this repository', () => {
  const directory = new URL('../../../environments/', import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'));

  it('are dev and prod', () => {
    expect(files).toEqual(['dev.yaml', 'prod.yaml']);
  });

  it.each(files)('%s is sound', (name) => {
    const text = readFileSync(new URL(name, directory), 'utf8');
    expect(parseEnvironment(text, `environments/${name}`).name).toBe(name.replace('.yaml', ''));
  });
});
