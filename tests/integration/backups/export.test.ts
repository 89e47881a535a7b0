import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSql } from '../../../backups/export.ts';
import { closeBackupThreads, exportSql } from '../../../backups/index.ts';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { sql, temporaryDirectory } from '../data/fixture.ts';
import { backupAt, makeSource, readSql } from './fixture.ts';

const root = temporaryDirectory();
const live = join(root, 'live.db');
const exported = join(root, 'export.sql');
const restored = join(root, 'restored.db');
afterAll(closeBackupThreads);

const compare = (before: string, after: string) => dataJobs.compare({ before, after, except: new Set() });

describe('a backup as SQL text', () => {
  beforeAll(async () => {
    const source = makeSource(root);
    // Rowids that are not in order, in a table that does not show them.
    sql(live, 'DELETE FROM untyped WHERE value = 1; PRAGMA application_id = 99');
    const { id } = await backupAt(source, '2026-11-20T07:08:09Z');
    await exportSql({ directory: source.directory, id }, createWriteStream(exported));
    readSql(restored, readFileSync(exported, 'utf8'));
  });

  test('becomes the same database again through the stock sqlite3', () => {
    expect(compare(live, restored)).toEqual([]);
    expect(dataJobs.fingerprint(restored)).toEqual(dataJobs.fingerprint(live));
    expect(dataJobs.schema(restored)).toBe(dataJobs.schema(live));
    expect(dataJobs.sound(restored)).toBeNull();
  });

  test('keeps text that is not UTF-8, rowids, numbers of the file and statistics', () => {
    const rows = (file: string) => {
      const database = new Database(file);
      const found = [
        database.prepare('SELECT rowid, typeof(value) AS type, hex(value) AS bytes FROM untyped').all(),
        database.prepare('SELECT * FROM sqlite_stat1 ORDER BY tbl, idx').all(),
        database.prepare('SELECT * FROM sqlite_sequence ORDER BY name').all(),
        database.pragma('user_version'),
        database.pragma('application_id'),
      ];
      database.close();
      return found;
    };
    expect(rows(restored)).toEqual(rows(live));
  });

  test('keeps full-text search, and triggers work again', () => {
    const database = new Database(restored);
    const search = (table: string, word: string) =>
      database.prepare(`SELECT rowid FROM ${table} WHERE ${table} MATCH ?`).pluck().all(word);
    expect(search('docs_fts', 'last')).toEqual([900]);
    expect(search('notes', 'find')).toEqual([1]);
    database.exec("INSERT INTO docs(id, title) VALUES (7, 'a seventh')");
    expect(search('docs_fts', 'seventh')).toEqual([7]);
    database.close();
  });

  test('is the text of the live database', () => {
    writeSql(live, join(root, 'live.sql'));
    expect(readFileSync(exported, 'utf8')).toBe(readFileSync(join(root, 'live.sql'), 'utf8'));
  });

  test('of a missing backup is refused', async () => {
    const failed = exportSql({ directory: root, id: '2026-01-01_00-00-00' }, createWriteStream('/dev/null'));
    await expect(failed).rejects.toThrow('there is no backup');
  });
});

test('every double comes back to the last bit', () => {
  const file = join(root, 'doubles.db');
  sql(file, 'CREATE TABLE t(value REAL)');
  const database = new Database(file);
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  const bits = new DataView(new ArrayBuffer(8));
  database.transaction(() => {
    for (let seed = 1; seed <= 5000; seed++) {
      bits.setUint32(0, Math.imul(seed, 2_654_435_761));
      bits.setUint32(4, Math.imul(seed, 40_503) ^ 0x5bd1e995);
      const value = bits.getFloat64(0);
      if (Number.isFinite(value)) insert.run(value);
    }
    for (const value of [5e-324, -5e-324, Number.MAX_VALUE, 2.2250738585072014e-308, 0.1, -1e23])
      insert.run(value);
  })();
  database.close();
  writeSql(file, join(root, 'doubles.sql'));
  readSql(join(root, 'doubles-2.db'), readFileSync(join(root, 'doubles.sql'), 'utf8'));
  expect(compare(file, join(root, 'doubles-2.db'))).toEqual([]);
});

test('a database in UTF-16 comes back as it was', () => {
  const file = join(root, 'utf16.db');
  sql(
    file,
    "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(value); INSERT INTO t VALUES ('ü𝄞'), (''), ('plain')",
  );
  writeSql(file, join(root, 'utf16.sql'));
  readSql(join(root, 'utf16-2.db'), readFileSync(join(root, 'utf16.sql'), 'utf8'));
  expect(compare(file, join(root, 'utf16-2.db'))).toEqual([]);
});
