import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { closeBackupThreads, pruneBackups } from '../../../backups/index.ts';
import type { CreateOptions } from '../../../backups/create.ts';
import { temporaryDirectory } from '../data/fixture.ts';
import { backupAt, makeSource } from './fixture.ts';

const root = temporaryDirectory();
afterAll(closeBackupThreads);

let source: CreateOptions;
let number = 0;
beforeEach(() => {
  const home = join(root, `${++number}`);
  mkdirSync(home);
  source = makeSource(home);
});

const prune = (keep: number, now = '2026-11-20T12:00:00Z') =>
  pruneBackups({ directory: source.directory, keep, now: new Date(now) });
const damage = (id: string) => writeFileSync(join(source.directory, id, 'database.sqlite3.zst'), 'damaged');

describe('pruning', () => {
  test('removes what the rules let go, and nothing else', async () => {
    await backupAt(source, '2026-11-01T00:00:00Z', 'manual');
    await backupAt(source, '2026-11-10T00:00:00Z', 'full');
    await backupAt(source, '2026-11-17T00:00:00Z', 'database');
    await backupAt(source, '2026-11-17T01:00:00Z', 'before-deploy');
    await backupAt(source, '2026-11-19T00:00:00Z', 'before-deploy');
    expect(await prune(1)).toEqual(['2026-11-17_01-00-00', '2026-11-17_00-00-00', '2026-11-10_00-00-00']);
    expect(readdirSync(source.directory)).toEqual(['2026-11-01_00-00-00', '2026-11-19_00-00-00']);
    expect(await prune(1)).toEqual([]);
  });

  test('keeps what a restore dropped for a week, and as long as the backup that it lies beside', async () => {
    for (const day of ['01', '02']) await backupAt(source, `2026-11-${day}T00:00:00Z`, 'before-deploy');
    const dropped = ['01', '02'].flatMap((day) =>
      [`20261113-130000-abcdef`, '20261119-000000-abcdef-back'].map(
        (id) => `2026-11-${day}_00-00-00.dropped-${id}.jsonl`,
      ),
    );
    for (const name of dropped) writeFileSync(join(source.directory, name), '{}\n');
    await prune(1);
    expect(readdirSync(source.directory)).toEqual(['2026-11-02_00-00-00', ...dropped].sort());
    await prune(1, '2026-11-20T13:00:01Z');
    expect(readdirSync(source.directory)).toEqual(['2026-11-02_00-00-00', ...dropped.slice(1)].sort());
  });

  test('never removes the newest backup that verifies, however old it is', async () => {
    await backupAt(source, '2026-01-01T00:00:00Z', 'database');
    await backupAt(source, '2026-01-02T00:00:00Z', 'database');
    expect(await prune(1)).toEqual(['2026-01-01_00-00-00']);
  });

  test('does not count a damaged one as good: the last good one stays', async () => {
    for (const day of ['01', '02', '03']) await backupAt(source, `2026-11-${day}T00:00:00Z`, 'before-deploy');
    damage('2026-11-03_00-00-00');
    expect(await prune(1)).toEqual(['2026-11-01_00-00-00']);
    damage('2026-11-02_00-00-00');
    expect(await prune(1)).toEqual([]);
  });

  test('sweeps what crashed processes left, but not what is being made', async () => {
    const backup = backupAt(source, '2026-11-20T00:00:00Z', 'manual');
    mkdirSync(join(source.directory, `2026-11-20_00-00-01.tmp-${process.pid}-1-1`), { recursive: true });
    mkdirSync(join(source.directory, '2026-11-20_00-00-02.tmp-4194304000-1-1'), { recursive: true });
    await prune(1);
    await backup;
    expect(readdirSync(source.directory)).toEqual(['2026-11-20_00-00-00']);
  });

  test('of a directory that is not there does nothing', async () => {
    expect(await pruneBackups({ directory: join(root, 'none'), keep: 1, now: new Date() })).toEqual([]);
  });
});
