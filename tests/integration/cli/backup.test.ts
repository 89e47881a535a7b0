import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../../../deployer/cli/main.ts';
import { serveWeb, TOKEN } from '../web/serve.ts';
import type { Served } from '../web/serve.ts';
import { runCli } from './run-cli.ts';

const NEWEST = '2026-11-20_12-00-00';
const OLDER = '2026-11-19_12-00-00';
const verifiedAt = '2026-11-20T12:00:01.000Z';

let web: Served;
let cwd: string;
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'export-'));
  web = await serveWeb();
  web.operations.addEnvironment('dev');
  web.operations.backupsKept.push({ id: OLDER, kind: 'manual', verifiedAt });
});
afterEach(async () => {
  rmSync(cwd, { recursive: true });
  await web.close();
});

async function json(...argv: string[]) {
  const ran = await runCli(['backup', ...argv, '--json'], { web, cwd });
  return { code: ran.code, answer: JSON.parse(ran.stdout) as unknown };
}

it('verifies: a damaged one is failed, exit 1, and says what is damaged', async () => {
  expect(await json('verify', 'dev')).toMatchObject({
    code: 0,
    answer: { success: true, outcome: 'ok', details: { id: OLDER, success: true } },
  });
  web.operations.damaged.add(OLDER);
  expect(await json('verify', 'dev', OLDER)).toMatchObject({
    code: 1,
    answer: { success: false, outcome: 'failed', details: { id: OLDER, kind: 'manual', success: false } },
  });
  const { stdout, code } = await runCli(['backup', 'verify', 'dev'], { web });
  expect(code).toBe(1);
  expect(stdout).toContain('expected  6 bytes');
});

it('creates one, with the files where --full says so', async () => {
  for (const [argv, full] of [
    [['create', 'dev'], false],
    [['create', 'dev', '--full'], true],
  ] as const) {
    expect(await json(...argv)).toMatchObject({ code: 0, answer: { details: { kind: 'manual' } } });
    expect(web.operations.asked.at(-1)).toMatchObject({
      verb: 'createBackup',
      with: { environment: 'dev', full },
    });
  }
});

it('restores and waits for the outcome', async () => {
  const restoring = json('restore', 'dev', OLDER, '--reason', 'lost rows');
  await expect.poll(() => web.operations.listeners).toBe(1);
  web.operations.finish('d1', 'ok', 'restored backup; 3 changes since then were saved beside it and dropped');
  expect(await restoring).toMatchObject({
    code: 0,
    answer: {
      outcome: 'ok',
      details: { kind: 'restore', cause: expect.stringContaining('3 changes') as string },
    },
  });
  expect(web.operations.asked.at(-1)?.with).toMatchObject({ id: OLDER, reason: 'lost rows' });
});

it('drills: what is found wrong is failed, exit 1', async () => {
  expect(await json('drill', 'dev')).toMatchObject({ code: 0, answer: { outcome: 'ok' } });
  const check = {
    name: 'boot',
    success: false,
    expected: 'healthy',
    actual: 'dead',
    hint: null,
    location: null,
  };
  const suites = [{ name: 'drill', success: false, durationMs: 1, checks: [check] }];
  web.operations.verification = { success: false, suites };
  expect(await json('drill', 'dev', OLDER)).toMatchObject({
    code: 1,
    answer: { outcome: 'failed', details: { id: OLDER, success: false, suites } },
  });
});

it("exports the newest to stdout as it is, in the one object, or to a new file of one's own", async () => {
  web.operations.backupsKept.splice(0, 1, { id: NEWEST, kind: 'full', verifiedAt });
  web.operations.sql = "INSERT INTO notes VALUES('\u001b[31mü');\n".repeat(20_000);
  const plain = await runCli(['backup', 'export', 'dev'], { web });
  expect(plain).toMatchObject({ code: 0, stdout: web.operations.sql });
  expect(await json('export', 'dev', NEWEST)).toMatchObject({
    code: 0,
    answer: { outcome: 'ok', details: { id: NEWEST, sql: web.operations.sql } },
  });
  expect(await json('export', 'dev', '--output', 'out.sql')).toMatchObject({
    code: 0,
    answer: { details: { id: NEWEST, file: join(cwd, 'out.sql') } },
  });
  expect(readFileSync(join(cwd, 'out.sql'), 'utf8')).toBe(web.operations.sql);
  expect(statSync(join(cwd, 'out.sql')).mode & 0o777).toBe(0o600);
  expect(await json('export', 'dev', '--output', 'out.sql')).toMatchObject({
    code: 2,
    answer: { details: { cause: expect.stringContaining('(EEXIST): name a new file') as string } },
  });
});

it('writes an export no faster than it is read', async () => {
  web.operations.sql = 'x'.repeat(300_000);
  let waiting: (() => void) | null = null;
  let written = 0;
  const stdout = {
    write(text: string) {
      expect(waiting).toBeNull();
      written += text.length;
      return false;
    },
    once(_event: 'drain', listener: () => void) {
      waiting = listener;
      setImmediate(() => {
        waiting = null;
        listener();
      });
    },
  };
  const env = { DEPLOYER_LISTEN: `127.0.0.1:${web.port}`, DEPLOYER_ADMIN_TOKEN: TOKEN };
  const { signal } = new AbortController();
  const code = await main(['backup', 'export', 'dev'], { stdout, stderr: { write() {} }, env, cwd, signal });
  expect(code).toBe(0);
  expect(written).toBe(300_000);
});

it('leaves no file when the export fails', async () => {
  web.operations.damaged.add(OLDER);
  expect(await json('export', 'dev', '--output', 'out.sql')).toMatchObject({ code: 1 });
  expect(() => statSync(join(cwd, 'out.sql'))).toThrow('ENOENT');
});

it.each(['verify', 'restore', 'drill', 'export'])(
  '%s of a backup that is not there is wrong usage',
  async (verb) => {
    expect(await json(verb, 'dev', '2020-01-01_00-00-00')).toMatchObject({
      code: 2,
      answer: {
        outcome: 'failed',
        details: {
          cause: expect.stringContaining('there is no backup 2020-01-01_00-00-00 of dev') as string,
        },
      },
    });
  },
);
