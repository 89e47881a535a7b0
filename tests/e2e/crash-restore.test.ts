import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ordeal, steps } from '../kit/ordeal.ts';

describe('a restore, with visitors, when the daemon is killed', () => {
  let ordeal: Ordeal;
  let backup: string;
  let restored: string;
  beforeAll(async () => {
    ordeal = await Ordeal.set();
    backup = await ordeal.machine.backup();
  });
  beforeEach(() => void ordeal.open());
  afterAll(() => ordeal.machine.strike());

  const ask = async (how: 'restore' | 'undo', ...names: string[]) => {
    const { machine } = ordeal;
    const kills = steps(...names);
    machine.arm(kills[0] ?? null);
    const { id } = await (how === 'restore' ? machine.restore(backup) : machine.rollback());
    await ordeal.survive(kills);
    const { last } = await machine.atRest();
    expect(last?.id).toBe(id);
    return { id, cause: last?.cause, dropped: machine.dropped(id).length };
  };
  const GIVEN_UP = 'the deployer died 3 times during this deployment';

  it.each([
    ['after prepare', 'after restore', 'did backup'],
    ['after lock', 'before restore#2', 'after restore#2'],
    ['after note generation', 'after saveDropped', 'after note cause'],
    ['after put#2', 'did verify', 'after phase switching'],
  ])('%s, %s and %s, leaves what was live untouched each time, and drops nothing', async (...names) => {
    expect(await ask('restore', ...names)).toMatchObject({ cause: GIVEN_UP, dropped: 0 });
    expect(await ordeal.findings({ outcome: 'failed' })).toEqual([]);
  });

  it('between any two effects of the switch and after it, is wholly there in the end, and what it drops is counted', async () => {
    const switching = ['before switchTo', 'after switchTo', 'after setCurrent', 'in settle', 'did settle'];
    const { id, cause, dropped } = await ask('restore', ...switching, 'did finish', 'after finish ok');
    expect(dropped).toBeGreaterThan(0);
    expect(cause).toContain(`restored backup ${backup}; ${dropped} changes since then were saved`);
    expect(await ordeal.findings({ outcome: 'ok', drops: true, generations: 2 })).toEqual([]);
    restored = id;
  });

  it('leaves nothing half-made, of backups or of files, once the daemon starts again', async () => {
    const { machine } = ordeal;
    await machine.kill();
    // As a process names them that lives no more.
    const left = ['backups/dev/2026-11-20_00-00-00', 'backups/dev/scratch', 'files/.dev'].map((name) =>
      join(machine.home, `${name}.tmp-4194304000-1-1`),
    );
    for (const directory of left) await mkdir(directory, { recursive: true });
    await machine.boot();
    expect(left.filter((directory) => existsSync(directory))).toEqual([]);
    expect(await ordeal.findings({ drops: true, generations: 2 })).toEqual([]);
  });

  it('is undone by a rollback that is killed as often: first not at all, then wholly', async () => {
    const given = await ask('undo', 'after lock', 'after saveDropped', 'after phase switching');
    expect(given).toMatchObject({ cause: GIVEN_UP, dropped: 0 });
    expect(await ordeal.findings({ outcome: 'failed', generations: 2 })).toEqual([]);

    ordeal.open();
    const undone = await ask('undo', 'before switchTo', 'after switchTo', 'after setCurrent', 'did finish');
    expect(undone.cause).toContain(`undid the restore of backup ${backup}; ${undone.dropped} changes since`);
    expect(await ordeal.findings({ outcome: 'ok', drops: true })).toEqual([]);
    expect(await ordeal.lost(ordeal.machine.dropped(restored))).toEqual([]);
  });
});
