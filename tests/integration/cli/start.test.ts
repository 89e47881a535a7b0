import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveWeb } from '../web/serve.ts';
import { runCli } from './run-cli.ts';

let directory: string;
let env: NodeJS.ProcessEnv;
/** The daemon uses a repository that is there, and creates none. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'start-'));
  env = { DEPLOYER_HOME: join(directory, 'home'), DEPLOYER_LISTEN: '127.0.0.1:0' };
  execFileSync('git', ['init', '--quiet', '--bare', join(directory, 'home/origin.git')]);
});
afterEach(() => rm(directory, { recursive: true }));

describe('start', () => {
  it('stops before anything happens when a setting is malformed, with one line and exit code 2', async () => {
    const ran = await runCli(['start', '--json'], { env: { ...env, DEPLOYER_RECONCILE_INTERVAL: 'often' } });
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      success: false,
      outcome: 'failed',
      details: { cause: expect.stringContaining('DEPLOYER_RECONCILE_INTERVAL') },
    });
    expect(await readdir(join(directory, 'home'))).toEqual(['origin.git']);
  });

  it('names an address that something else uses; the last words of the daemon are the cause', async () => {
    const other = await serveWeb();
    const taken = { ...env, DEPLOYER_LISTEN: `127.0.0.1:${other.port}` };
    const ran = await runCli(['start', '--json'], { env: taken, cwd: directory });
    await other.close();
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'failed',
      details: { cause: expect.stringMatching(new RegExp(`^DEPLOYER_LISTEN .*:${other.port} `)) },
    });
    expect(ran.stderr).toContain('DEPLOYER_LISTEN');
  });

  it('runs the daemon until it is told to stop, with nothing but the object on stdout', async () => {
    const stop = new AbortController();
    const running = runCli(['start', '--json'], {
      env,
      cwd: directory,
      signal: stop.signal,
      onLog: (text) => {
        if (text.includes('listening on')) stop.abort();
      },
    });
    const ran = await running;
    expect(ran).toMatchObject({ code: 0, stdout: '{"success":true,"outcome":"ok","details":{}}\n' });
  });
});
