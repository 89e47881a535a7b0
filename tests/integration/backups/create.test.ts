import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  BackupError,
  closeBackupThreads,
  createBackup,
  listBackups,
  restoreDatabase,
  restoreFiles,
  verifyBackup,
} from '../../../backups/index.ts';
import * as inThisThread from '../../../backups/create.ts';
import type { CreateOptions } from '../../../backups/create.ts';
import {
  restoreDatabase as restoreHere,
  restoreFiles as restoreFilesHere,
} from '../../../backups/restore.ts';
import { sameAsNewest, stampOf } from '../../../backups/unchanged.ts';
import { copyDatabase } from '../../../backups/sqlite/copy.ts';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { temporaryDirectory } from '../data/fixture.ts';
import { hasStock, makeSource, never, stock } from './fixture.ts';

const root = temporaryDirectory();
afterAll(closeBackupThreads);

let source: CreateOptions;
let home: string;
let number = 0;
beforeEach(() => {
  home = join(root, `${++number}`);
  mkdirSync(home);
  source = makeSource(home);
});

const ID = '2026-11-20_07-08-09';
const compare = (before: string, after: string) => dataJobs.compare({ before, after, except: new Set() });

describe('a backup', () => {
  test('holds the database, the files, the configuration, the tag and a manifest of all that', async () => {
    const backup = await createBackup({ ...source, signal: never });
    expect(backup).toMatchObject({ id: ID, kind: 'full' });
    const path = join(source.directory, ID);
    expect(readdirSync(path).toSorted()).toEqual([
      'config.json',
      'database.sqlite3.zst',
      'files.tar.zst',
      'git-tag.txt',
      'manifest.json',
    ]);
    expect(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))).toEqual({ name: 'dev' });
    expect(readFileSync(join(path, 'git-tag.txt'), 'utf8')).toBe('commit abc\ntree def\n');
    expect(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'))).toMatchObject({
      ...backup,
      createdAt: '2026-11-20T07:08:09.123Z',
      schemaVersion: '20261101_first',
      tables: dataJobs.fingerprint(source.databaseFile ?? ''),
    });
    expect(await listBackups(source.directory)).toEqual({ backups: [backup], unreadable: [] });
    expect(readdirSync(source.directory)).toEqual([ID]);
  });

  test.skipIf(!['zstd', 'sqlite3', 'tar'].every(hasStock))(
    'is restored by the stock zstd, sqlite3 and tar alone',
    async () => {
      await createBackup({ ...source, signal: never });
      const path = join(source.directory, ID);
      const restored = join(home, 'stock.db');
      stock('zstd', ['-q', '-d', join(path, 'database.sqlite3.zst'), '-o', restored]);
      expect(stock('sqlite3', [restored, 'PRAGMA integrity_check'])).toBe('ok\n');
      expect(compare(source.databaseFile ?? '', restored)).toEqual([]);
      stock('tar', ['--zstd', '-xf', join(path, 'files.tar.zst'), '-C', join(home, 'backups')]);
      expect(readFileSync(join(home, 'backups', 'one.txt'), 'utf8')).toBe('one');
    },
  );

  test('is verified, and restored: the database and the files', async () => {
    const { id } = await createBackup({ ...source, signal: never });
    const which = { directory: source.directory, id };
    const { checks } = await verifyBackup(which);
    expect(checks.map(({ name, success }) => `${name}: ${success}`)).toEqual([
      'manifest: true',
      'database.sqlite3.zst: true',
      'database restores: true',
      'files.tar.zst: true',
      'files restore: true',
      'config.json: true',
      'git-tag.txt: true',
    ]);
    await restoreDatabase({ ...which, toFile: join(home, 'restored.db') });
    expect(compare(source.databaseFile ?? '', join(home, 'restored.db'))).toEqual([]);
    await restoreFiles({ ...which, toDirectory: join(home, 'restored') });
    expect(readFileSync(join(home, 'restored', 'sub', '@two with "odd" name'))).toEqual(
      Buffer.alloc(50_000, 'two'),
    );
    expect(readlinkSync(join(home, 'restored', 'link'))).toBe('one.txt');
  });

  test('has no files unless it is a full one, and no database where there is none', async () => {
    await inThisThread.createBackup({ ...source, kind: 'before-deploy', filesDirectory: null }, never);
    expect(existsSync(join(source.directory, ID, 'files.tar.zst'))).toBe(false);
    const { id } = await inThisThread.createBackup({ ...source, databaseFile: null }, never);
    expect(existsSync(join(source.directory, id, 'database.sqlite3.zst'))).toBe(false);
    const { checks } = await verifyBackup({ directory: source.directory, id });
    expect(checks.every(({ success }) => success)).toBe(true);
    const toFile = join(home, 'x.db');
    await expect(restoreDatabase({ directory: source.directory, id, toFile })).rejects.toThrow(
      'has no database.sqlite3.zst',
    );
  });

  describe('of a database that has not changed since the one before', () => {
    const make = () => inThisThread.createBackup({ ...source, kind: 'database' }, never);
    const stored = ({ id }: { id: string }) => join(source.directory, id, 'database.sqlite3.zst');
    const manifestOf = ({ id }: { id: string }) =>
      JSON.parse(readFileSync(join(source.directory, id, 'manifest.json'), 'utf8')) as Record<
        string,
        unknown
      >;
    const isGood = async ({ id }: { id: string }) =>
      (await verifyBackup({ directory: source.directory, id })).success;

    test('holds the same, in files of its own', async () => {
      const [first, second] = [await make(), await make()];
      expect(readFileSync(stored(second))).toEqual(readFileSync(stored(first)));
      expect(manifestOf(second)).toMatchObject({ id: second.id, tables: manifestOf(first)['tables'] });
      writeFileSync(stored(first), 'damaged');
      expect([await isGood(first), await isGood(second)]).toEqual([false, true]);
    });

    test('is seen to be the same', async () => {
      const { databaseFile, directory } = source;
      const live = databaseFile ?? '';
      const copy = join(home, 'copy.db');
      const seen = { copy, stamp: await stampOf(live), to: join(home, 'same.zst') };
      const { id } = await make();
      await copyDatabase(live, copy);
      expect(await sameAsNewest(directory, seen)).toMatchObject({ tables: dataJobs.fingerprint(live) });
      expect(readFileSync(seen.to)).toEqual(readFileSync(stored({ id })));
    });

    test('is told from one of the same size and time, too', async () => {
      const live = new Database(source.databaseFile ?? '');
      live.pragma('journal_mode = delete');
      const asOf = (age: number) => {
        live.exec(`UPDATE users SET age = ${age}`);
        utimesSync(source.databaseFile ?? '', 1000, 1000);
      };
      asOf(40);
      await make();
      asOf(50);
      live.close();
      const { id } = await make();
      expect(manifestOf({ id })).toMatchObject({ tables: dataJobs.fingerprint(source.databaseFile ?? '') });
    });

    test('takes nothing from one that is damaged, or gone', async () => {
      const first = await make();
      writeFileSync(stored(first), 'damaged');
      const second = await make();
      rmSync(join(source.directory, second.id), { recursive: true });
      expect([await isGood(first), await isGood(await make())]).toEqual([false, true]);
    });

    test('is told from one that has changed by a single row', async () => {
      await make();
      const live = new Database(source.databaseFile ?? '');
      live.exec('UPDATE users SET age = age + 1 WHERE id = (SELECT max(id) FROM users)');
      live.close();
      const changed = await make();
      expect(manifestOf(changed)).toMatchObject({ tables: dataJobs.fingerprint(source.databaseFile ?? '') });
      expect(await isGood(changed)).toBe(true);
    });
  });

  test('is not made of a database of which a page cannot be read', async () => {
    const live = new Database(source.databaseFile ?? '');
    live.pragma('wal_autocheckpoint = 0');
    live.prepare('INSERT INTO users(name, secret) VALUES (?, ?)').run('Eve', Buffer.alloc(20_000, 'secret'));
    const log = `${source.databaseFile}-wal`;
    truncateSync(log, statSync(log).size - 1);
    await expect(inThisThread.createBackup({ ...source, kind: 'database' }, never)).rejects.toThrow(
      'I/O error',
    );
    expect(readdirSync(source.directory)).toEqual([]);
    live.close();
  });

  test('of the same second gets the next one, and overwrites nothing', async () => {
    const made = await Promise.all(
      [1, 2, 3].map(() => inThisThread.createBackup({ ...source, kind: 'database' }, never)),
    );
    expect(made.map(({ id }) => id).toSorted()).toEqual([ID, '2026-11-20_07-08-10', '2026-11-20_07-08-11']);
    for (const { id } of made) {
      const { checks } = await verifyBackup({ directory: source.directory, id });
      expect(checks.filter(({ success }) => !success)).toEqual([]);
    }
  });

  test('of a damaged database is refused, and leaves nothing', async () => {
    // An index that lacks a row: every page is readable, and yet a query would answer wrongly.
    const database = new Database(source.databaseFile ?? '');
    database.unsafeMode();
    database.pragma('writable_schema = on');
    database.exec(`INSERT INTO docs(id, title) VALUES (901, '');
      UPDATE sqlite_schema SET sql = 'CREATE INDEX docs_by_title ON docs(title)' WHERE name = 'docs_by_title'`);
    database.close();
    await expect(createBackup({ ...source, signal: never })).rejects.toThrow(
      /^the backup does not verify and was dropped: database restores: expected .*, got wrong # of entries in index/,
    );
    expect(readdirSync(source.directory)).toEqual([]);
  });

  test('that is aborted leaves nothing', async () => {
    const controller = new AbortController();
    const running = createBackup({ ...source, signal: controller.signal });
    controller.abort(new Error('a newer commit'));
    await expect(running).rejects.toThrow('a newer commit');
    expect(existsSync(source.directory) ? readdirSync(source.directory) : []).toEqual([]);
  });

  test('of a database that is not there is refused with a sentence', async () => {
    const failed = createBackup({ ...source, databaseFile: join(home, 'none.db'), signal: never });
    await expect(failed).rejects.toBeInstanceOf(BackupError);
    expect(readdirSync(source.directory)).toEqual([]);
  });
});

describe('a restore', () => {
  test('brings back what a full backup holds, and of files that were never there nothing', async () => {
    const { id } = await inThisThread.createBackup(source, never);
    const which = { directory: source.directory, id };
    await restoreHere({ ...which, toFile: join(home, 'restored.db') }, never);
    expect(compare(source.databaseFile ?? '', join(home, 'restored.db'))).toEqual([]);
    await restoreFilesHere({ ...which, toDirectory: join(home, 'restored') }, never);
    expect(readdirSync(join(home, 'restored')).toSorted()).toEqual(['link', 'one.txt', 'sub']);
    const without = await inThisThread.createBackup({ ...source, filesDirectory: join(home, 'none') }, never);
    await expect(
      restoreFilesHere({ ...which, id: without.id, toDirectory: join(home, 'again') }, never),
    ).rejects.toThrow(`the backup ${without.id} has no files.tar.zst`);
  });

  test('never overwrites a database, nor is it put next to the log of another', async () => {
    const { id } = await inThisThread.createBackup(source, never);
    writeFileSync(join(home, 'there.db-wal'), '');
    for (const [name, taken] of [
      ['live.db', 'live.db'],
      ['there.db', 'there.db-wal'],
    ] as const) {
      await expect(
        restoreHere({ directory: source.directory, id, toFile: join(home, name) }, never),
      ).rejects.toThrow(`${join(home, taken)} exists; a backup is restored to a new file`);
    }
    await expect(
      restoreFilesHere({ directory: source.directory, id, toDirectory: join(home, 'files') }, never),
    ).rejects.toThrow('files are restored to a new directory');
  });

  test('of a damaged backup is refused, and leaves nothing', async () => {
    const { id } = await inThisThread.createBackup(source, never);
    const toFile = join(home, 'restored.db');
    writeFileSync(join(source.directory, id, 'database.sqlite3.zst'), 'x');
    await expect(restoreHere({ directory: source.directory, id, toFile }, never)).rejects.toThrow(
      `the backup ${id} is damaged: database.sqlite3.zst is not as it was written`,
    );
    writeFileSync(join(source.directory, id, 'manifest.json'), '{}');
    await expect(restoreHere({ directory: source.directory, id, toFile }, never)).rejects.toThrow(
      `the backup ${id} is damaged: its manifest cannot be read`,
    );
    expect(existsSync(toFile)).toBe(false);
    expect(await listBackups(source.directory)).toEqual({ backups: [], unreadable: [id] });
  });

  test.each(['2026-01-01_00-00-00', '../dev', ''])('of %j says that there is no such backup', async (id) => {
    await expect(verifyBackup({ directory: source.directory, id })).rejects.toThrow('there is no backup');
  });
});
