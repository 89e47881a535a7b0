import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDaemon } from '../../../deployer/daemon.ts';
import { parseSettings } from '../../../deployer/settings.ts';
import { freePort, waitFor } from '../../kit/daemon.ts';
import { Place } from '../../kit/place.ts';
import { smallFiles } from '../../kit/small.ts';

describe('the daemon until its signal', () => {
  let place: Place;
  let ports: readonly [number, number];
  let said: { stdout: string; stderr: string };
  beforeEach(async () => {
    place = await Place.create();
    ports = [await freePort(), await freePort()];
    said = { stdout: '', stderr: '' };
  });
  afterEach(() => place.strike());

  const run = (signal: AbortSignal, env: NodeJS.ProcessEnv = {}) =>
    runDaemon({
      settings: parseSettings({ DEPLOYER_HOME: place.home, DEPLOYER_LISTEN: '127.0.0.1:0', ...env }),
      demo: true,
      io: {
        stdout: { write: (text: string) => (said.stdout += text) },
        stderr: { write: (text: string) => (said.stderr += text) },
        cwd: place.checkout.directory,
        signal,
      },
    });
  const idle = new AbortController().signal;

  it('says where everything is, what to try next, and what it left out', async () => {
    await smallFiles(place.checkout, [
      { name: 'dev', branch: 'dev', port: ports[0] },
      { name: 'prod', branch: 'main', port: ports[1], more: { requires: 'dev' } },
    ]);
    await writeFile(join(place.checkout.directory, 'serve.mjs'), '');
    const stop = new AbortController();
    const running = run(stop.signal);
    await waitFor('the welcome', async () => said.stdout.includes('rollback prod') || undefined);
    stop.abort();
    expect(await running).toBe(0);
    expect(said.stderr).toBe('');
    expect(said.stdout).toContain('uncommitted changes are not deployed');
    expect(said.stdout).toContain(
      [
        'Everything is live.',
        `  dev        http://127.0.0.1:${ports[0]}/`,
        `  prod       http://127.0.0.1:${ports[1]}/`,
      ].join('\n'),
    );
  });

  it('is told of pushes by its own hook also where a webhook with another secret was set', async () => {
    await smallFiles(place.checkout, [{ name: 'dev', branch: 'dev', port: ports[0] }]);
    const stop = new AbortController();
    const running = run(stop.signal, { GITHUB_WEBHOOK_SECRET: 'that of a webhook, and not of the hook' });
    await waitFor('the welcome', async () => said.stdout.includes('Try next') || undefined);
    await place.checkout.commit('More', { more: 'more' });
    const push = ['-C', place.checkout.directory, 'push', join(place.home, 'origin.git'), 'HEAD:dev'];
    const { stderr } = await promisify(execFile)('git', push);
    stop.abort();
    await running;
    expect(stderr).toContain('deployer: dev → ');
  });

  it('says what is not live, and why', async () => {
    await smallFiles(place.checkout, [
      { name: 'dev', branch: 'dev', port: ports[0], more: { commands: { start: 'node nothing.mjs' } } },
    ]);
    const stop = new AbortController();
    const running = run(stop.signal);
    await waitFor('the welcome', async () => said.stdout.includes('Try next') || undefined);
    stop.abort();
    expect(await running).toBe(0);
    expect(said.stdout).toMatch(/ {2}dev: rejected: crashed at the start/);
    expect(said.stdout).toContain('Not everything is live: dev is not live yet\n  dev        (not live)\n');
  });

  it('does not start for two environments on one address', async () => {
    await smallFiles(place.checkout, [
      { name: 'dev', branch: 'dev', port: ports[0] },
      { name: 'prod', branch: 'main', port: ports[0] },
    ]);
    // Short enough for the sockets that the home is too long for.
    const sockets = await mkdtemp('/tmp/s-');
    vi.stubEnv('XDG_RUNTIME_DIR', sockets);
    expect(await run(idle)).toBe(2);
    vi.unstubAllEnvs();
    expect(said.stderr).toMatch(
      /^deployer: environments\/prod\.yaml: listen 127\.0\.0\.1:\d+ is that of dev too: choose another port\n$/,
    );
    expect(existsSync(place.home)).toBe(false);
    expect(readdirSync(sockets)).toEqual([]);
    await rmdir(sockets);
  });

  it('keeps what was in a home that it cannot use, and names what is in the way', async () => {
    await smallFiles(place.checkout, []);
    await mkdir(place.home);
    await writeFile(join(place.home, 'logs'), 'not a directory');
    expect(await run(idle)).toBe(2);
    expect(said.stderr).toMatch(/^deployer: DEPLOYER_HOME .* cannot be used \(EEXIST\): .*logs'\n$/);
    expect(existsSync(join(place.home, 'logs'))).toBe(true);
    expect(existsSync(join(place.home, 'origin.git'))).toBe(false);
  });

  it('removes the directories that it made for a home, and no others', async () => {
    const above = join(place.root, 'above');
    await mkdir(above);
    const home = join(above, 'a/b/home');
    expect(await run(idle, { DEPLOYER_HOME: home })).toBe(2);
    expect(said.stderr).toContain('has no commit yet');
    expect(existsSync(join(above, 'a'))).toBe(false);
    expect(existsSync(above)).toBe(true);
  });
});
