import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { main as seed } from '../../../app/seed.ts';
import { serve } from '../../../app/serve.ts';
import { readSettings } from '../../../app/settings.ts';
import { SUITE_NAMES } from '../../../verify/arguments.ts';
import { verify } from '../../../verify/verify.ts';
import { databases } from './database.ts';

const { copy } = databases();

/** The application itself, and what all six suites find wrong with it. */
async function judgeApplication(file: string, files: string, env: Record<string, string>): Promise<string[]> {
  const socket = path.join(files, 'app.sock');
  const settings = readSettings({
    LISTEN: socket,
    DATABASE_FILE: file,
    FILES_DIR: files,
    RELEASE_COMMIT: 'c0ffee',
    ENVIRONMENT: 'dev',
    ...env,
  });
  const running = await serve(settings, { log: pino({ level: 'silent' }) });
  try {
    const invocation = { url: 'https://rfc.example', socket, baseline: null, timeoutMs: 20_000, json: true };
    const given = { DATABASE_FILE: file, RELEASE_COMMIT: 'c0ffee' };
    const report = await verify({ ...invocation, suites: [...SUITE_NAMES] }, given);
    const failed = report.suites.flatMap(({ checks }) => checks.filter(({ success }) => !success));
    return failed.map(({ name, actual }) => `${name} ${actual}`);
  } finally {
    await running.stop();
  }
}

test.for([
  ['fresh and live', false, { DEPLOYMENT_MODE: 'false', ENVIRONMENT: 'prod' }],
  ['full and being verified', true, { DEPLOYMENT_MODE: 'true' }],
] as const)('the application passes all suites when it is %s', async ([, full, env]) => {
  const file = copy('empty');
  const files = mkdtempSync(path.join(tmpdir(), 'verify-app-'));
  onTestFinished(() => rmSync(files, { recursive: true, force: true }));
  const quiet = { out: () => {}, error: () => {} };
  if (full) await seed(['dev'], { DATABASE_FILE: file, FILES_DIR: files }, quiet);
  expect(await judgeApplication(file, files, env)).toEqual([]);
});
