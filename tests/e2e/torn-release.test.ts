import { chmod, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';

describe('a live release that a power cut has torn', () => {
  const stage = liveForAll();

  const instance = async () => {
    const live = await stage.daemon.tools.journal.liveOf('dev');
    return stage.daemon.tools.instances.get('dev', live?.slot ?? '');
  };

  it('is built again by the next deployer, and served from there', async () => {
    const live = await stage.daemon.tools.journal.liveOf('dev');
    const file = join(stage.home, 'releases', live?.tree ?? '', 'server.mjs');
    const whole = await readFile(file, 'utf8');
    const torn = await instance();
    await stage.leave();
    await chmod(file, 0o644);
    await truncate(file, 100);

    await stage.start();
    await waitFor('another instance to serve', async () => {
      const now = await instance();
      const isOther = JSON.stringify(now?.process) !== JSON.stringify(torn?.process);
      return (isOther && now && stage.daemon.tools.services.alive(now.process)) || undefined;
    });
    // One that ends before it has seen it answer takes its instance with it.
    await waitFor('it to be seen to answer', async () => {
      const { entries } = await stage.daemon.operations.audit('dev');
      return entries.find(({ action }) => action === 'started again');
    });
    expect(await readFile(file, 'utf8')).toBe(whole);
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
  });

  it('is left alone where it is whole', async () => {
    const before = await instance();
    await stage.leave();
    await stage.start();
    await stage.allLive();
    // A daemon that ends has done looking.
    await stage.leave();
    await stage.start();
    expect(await instance()).toEqual(before);
  });
});
