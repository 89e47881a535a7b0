import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../deployer/deployment/model.ts';
import { examine } from '../../deployer/doctor/doctor.ts';
import { findSubject } from '../../deployer/doctor/subject.ts';
import { isAtLeast } from '../../deployer/doctor/versions.ts';
import { freePort, Stage } from '../kit/daemon.ts';

describe('doctor on a machine on which nothing was installed', () => {
  let stage: Stage;
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    stage = await Stage.set({ backups: { schedule: { database: '1h' } } });
    env = { PATH: process.env['PATH'], DEPLOYER_LISTEN: `127.0.0.1:${await freePort()}` };
  });
  afterEach(() => stage.strike());

  const checks = async (at = new Date()): Promise<Check[]> => {
    const signal = AbortSignal.timeout(60_000);
    return examine({ ...(await findSubject({ env, home: stage.home, signal })), now: at });
  };
  const problems = async (at?: Date) => (await checks(at)).filter(({ success }) => !success);

  it('finds no problem before the first start, and creates nothing', async () => {
    expect(await problems()).toEqual([]);
    expect((await checks()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['settings', 'git', 'runtime (Node)', 'SQLite of the deployer']),
    );
  });

  it('finds no problem while everything is live, beside the daemon', async () => {
    await stage.start();
    await stage.allLive();
    expect(await problems()).toEqual([]);
    expect((await checks()).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        `address 127.0.0.1:${stage.ports.dev} of dev`,
        'newest backup of dev',
        'SQLite of dev',
      ]),
    );
  });

  it('finds no problem while the first release is on its way, and one when nothing is', async () => {
    let running: object | null = { id: 'first' };
    const other = createServer(({ url }, response) => {
      const status = url === '/readyz' ? 503 : 200;
      response
        .writeHead(status)
        .end(JSON.stringify({ environments: [{ name: 'dev', running, waiting: null }] }));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    env['DEPLOYER_LISTEN'] = `127.0.0.1:${(other.address() as { port: number }).port}`;
    const said = async () => (await checks()).find(({ name }) => name === 'the deployer');
    try {
      expect(await said()).toMatchObject({ success: true, actual: 'not ready yet: it deploys dev' });
      running = null;
      expect(await said()).toMatchObject({ success: false, actual: 'not ready (503)' });
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('names a malformed setting and a missing one, and never a secret', async () => {
    env['DEPLOYER_ADMIN_TOKEN'] = 'geheim 123';
    const [problem] = await problems();
    expect(problem).toMatchObject({ name: 'settings', hint: 'set it, then start again' });
    expect(problem?.actual).toMatch(/^DEPLOYER_ADMIN_TOKEN: expected/);
    expect(JSON.stringify(await checks())).not.toContain('geheim');
  });

  it('names a port that something else has, and a secret that others can read', async () => {
    const other = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    env['DEPLOYER_LISTEN'] = `127.0.0.1:${(other.address() as { port: number }).port}`;
    await writeFile(join(stage.home, 'admin-token'), 'x'.repeat(32));
    await chmod(join(stage.home, 'admin-token'), 0o644);
    try {
      const found = await problems();
      expect(found.map(({ actual }) => actual)).toEqual([
        expect.stringContaining('mode 0644'),
        expect.stringContaining('is in use by another program'),
      ]);
      expect(found[1]?.location).toBe('DEPLOYER_LISTEN');
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('sees a clock that went back, a backup that is due, and an environment that does not answer', async () => {
    await stage.start();
    await stage.allLive();
    expect(await problems(new Date(Date.now() - 3_600_000))).toMatchObject([{ name: 'the clock' }]);
    expect(await problems(new Date(Date.now() + 24 * 3_600_000))).toMatchObject([
      { name: 'newest backup of dev', actual: 'none yet' },
      { name: 'newest backup of prod' },
    ]);
    await stage.rest();
    expect(await problems()).toMatchObject([
      { name: `address 127.0.0.1:${stage.ports.dev} of dev`, actual: 'no answer' },
      { name: `address 127.0.0.1:${stage.ports.prod} of prod`, actual: 'no answer' },
    ]);
  });

  it('says that the state is damaged', async () => {
    await stage.start();
    await stage.allLive();
    await stage.rest();
    for (const part of ['-wal', '-shm']) await rm(join(stage.home, `state.sqlite${part}`), { force: true });
    await writeFile(join(stage.home, 'state.sqlite'), 'this is no database at all, for sure'.repeat(100));
    expect(await problems()).toMatchObject([
      {
        name: "the deployer's state",
        actual: 'file is not a database',
        location: join(stage.home, 'state.sqlite'),
      },
    ]);
  });

  it('finds a backup whose manifest is damaged', async () => {
    await stage.start();
    await stage.allLive();
    const directory = join(stage.home, 'backups', 'dev', '2026-01-02_03-04-05');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'manifest.json'), '{');
    expect(await problems()).toMatchObject([
      { name: 'backup 2026-01-02_03-04-05 of dev', location: directory },
    ]);
  });

  it('compares versions by their numbers', () => {
    expect(isAtLeast('3.51.3', '3.51.3')).toBe(true);
    expect(isAtLeast('3.100.0', '3.51.3')).toBe(true);
    expect(isAtLeast('3.51.2', '3.51.3')).toBe(false);
    expect(isAtLeast('2.9', '2.38.0')).toBe(false);
  });
});
