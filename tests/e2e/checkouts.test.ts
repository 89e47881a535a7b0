import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, waitFor } from '../kit/daemon.ts';
import { finished, Place } from '../kit/place.ts';
import { processesOf } from '../kit/program.ts';
import { smallFiles } from '../kit/small.ts';

const run = promisify(execFile);
const answer = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();

describe('the checkout from which npm start makes its repository', () => {
  let place: Place;
  let port: number;
  let commit: string;
  beforeEach(async () => {
    place = await Place.create({ home: (root) => join(root, 'home') });
    port = await freePort();
    commit = await smallFiles(place.checkout, [{ name: 'dev', branch: 'dev', port }]);
  });
  afterEach(() => place.strike());

  /** Starts in `cwd` until everything is live; returns what it said. */
  async function started(cwd = place.checkout.directory): Promise<string> {
    const daemon = place.start(['--demo'], { cwd });
    await daemon.says('rollback dev');
    expect(await answer(port)).toBe(commit);
    daemon.signal('SIGTERM');
    expect(await finished(daemon)).toMatchObject({ code: 0, stderr: '' });
    return daemon.stdout;
  }

  it('may be a shallow clone', async () => {
    commit = await place.checkout.commit('Another', { 'another.txt': 'x' });
    const shallow = join(place.root, 'shallow');
    await run('git', ['clone', '-q', '--depth', '1', `file://${place.checkout.directory}`, shallow]);
    expect(await started(shallow)).toContain('Everything is live.');
  });

  it('may have a detached HEAD', async () => {
    await place.checkout.commit('Later', { 'later.txt': 'x' });
    await place.checkout.git('checkout', '-q', commit);
    expect(await started()).toContain('Everything is live.');
  });

  it('may be a linked work tree', async () => {
    const linked = join(place.root, 'linked');
    await place.checkout.git('worktree', 'add', '-q', '--detach', linked);
    expect(await started(linked)).toContain('Everything is live.');
  });

  it('may be dirty: what is not committed is not deployed, which it says', async () => {
    await writeFile(join(place.checkout.directory, 'serve.mjs'), 'throw new Error("not committed")');
    expect(await started()).toContain('uncommitted changes are not deployed');
  });

  it('may hold no environment, which it says', async () => {
    await place.checkout.commit('None', { 'environments/dev.yaml': null });
    const daemon = place.start(['--demo']);
    await daemon.says('Not everything is live: no branch holds an environment yet');
    daemon.signal('SIGINT');
    expect(await finished(daemon)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a repository that is there already', () => {
  let place: Place;
  const ports = { staging: 0, live: 0 };
  beforeEach(async () => {
    place = await Place.create({ home: (root) => join(root, 'home') });
    ports.staging = await freePort();
    ports.live = await freePort();
    await smallFiles(place.checkout, [
      { name: 'staging', branch: 'stage', port: ports.staging },
      { name: 'live', branch: 'release', port: ports.live, more: { requires: 'staging' } },
    ]);
    await run('git', ['init', '-q', '--bare', place.checkout.origin]);
    await place.checkout.push('HEAD:refs/heads/stage');
  });
  afterEach(() => place.strike());

  const branches = () => place.checkout.git('ls-remote', '--heads', place.checkout.origin);

  it('is used as it is: nothing is created or promoted in it, and the next thing to try has its names', async () => {
    const before = await branches();
    const daemon = place.start(['--demo']);
    await daemon.says('rollback staging');
    expect(daemon.stdout).toContain(`git push ${place.checkout.origin} HEAD:stage`);
    expect(await branches()).toBe(before);
    const { details } = await place.json('status');
    expect(details['environments']).toMatchObject([{ name: 'staging', live: { outcome: 'deployed' } }]);

    await place.checkout.push('HEAD:refs/heads/release');
    const commit = await place.checkout.git('rev-parse', 'HEAD');
    await waitFor('release to be live', async () =>
      (await answer(ports.live).catch(() => '')) === commit ? true : undefined,
    );
    daemon.signal('SIGTERM');
    expect(await finished(daemon)).toMatchObject({ code: 0, stderr: '' });
    const again = place.start(['--demo']);
    await again.says('npx deployer promote staging live');
  });
});

describe('two deployers', () => {
  it('of their own homes, addresses and ports do not meet', async () => {
    const one = await Place.create();
    const two = await Place.create();
    try {
      const ports = [await freePort(), await freePort()] as const;
      const commits = [
        await smallFiles(one.checkout, [{ name: 'dev', branch: 'dev', port: ports[0] }]),
        await smallFiles(two.checkout, [{ name: 'dev', branch: 'dev', port: ports[1] }]),
      ];
      const daemons = [one.start(['--demo']), two.start(['--demo'])];
      for (const daemon of daemons) await daemon.says('rollback dev');
      expect([await answer(ports[0]), await answer(ports[1])]).toEqual(commits);
      daemons[0]?.signal('SIGINT');
      await daemons[0]?.ended;
      expect(processesOf(one.root)).toEqual([]);
      expect(await answer(ports[1])).toBe(commits[1]);
      expect(await two.json('status', 'dev')).toMatchObject({ outcome: 'ok' });
    } finally {
      await one.strike();
      await two.strike();
    }
  });
});

describe('a home whose path is too long for sockets', () => {
  it('works like any other, and is found again', async () => {
    const place = await Place.create({
      temporary: '/tmp',
      home: (root) =>
        join(root, 'a-directory-with-a-long-name'.repeat(3), 'another-long-name'.repeat(5), 'home'),
    });
    try {
      expect(place.home.length).toBeGreaterThan(150);
      const port = await freePort();
      const commit = await smallFiles(place.checkout, [{ name: 'dev', branch: 'dev', port }]);
      // Short itself, and removed with the place.
      const env = { XDG_RUNTIME_DIR: place.root };
      const daemon = place.start(['--demo'], { env });
      await daemon.says('rollback dev');
      expect(await answer(port)).toBe(commit);
      const before = place.serving();
      expect(before).toHaveLength(2);
      daemon.signal('SIGKILL');
      await daemon.ended;
      const again = place.start(['--demo'], { env: {} });
      await again.says('rollback dev');
      expect(place.serving()).toEqual(before);
      again.signal('SIGTERM');
      expect(await again.ended).toEqual({ code: 0, signal: null });
      expect(processesOf(place.root)).toEqual([]);
    } finally {
      await place.strike();
    }
  });
});
