import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { makeDatabase, sql, temporaryDirectory } from './fixture.ts';

const directory = temporaryDirectory();
let file: string;
let number = 0;
beforeEach(() => {
  file = join(directory, `${++number}.db`);
  makeDatabase(file);
});

describe('the fingerprint of a database', () => {
  test('has every ordinary table, and none that is exempt or derived', () => {
    const tables = Object.keys(dataJobs.fingerprint(file));
    expect(tables).toEqual(['docs', `odd "name" 's`, 'pairs', 'reals', 'untyped', 'users']);
  });

  test.each([
    ['the case of text under NOCASE', "UPDATE users SET name = 'ann' WHERE id = 1", 'users'],
    ['1 that became 1.0', 'UPDATE users SET age = 1.0 WHERE id = 1', 'users'],
    ['a blob', "UPDATE users SET secret = x'01' WHERE id = 1", 'users'],
    ['a row of a table without rowid', "UPDATE pairs SET value = 'zwei' WHERE b = 2", 'pairs'],
    [
      'the last bit of a large integer',
      `UPDATE "odd ""name"" 's" SET "select" = "select" - 1 WHERE "select" > 9`,
      `odd "name" 's`,
    ],
  ])('shows %s', (_, change, table) => {
    const before = dataJobs.fingerprint(file);
    sql(file, change);
    const after = dataJobs.fingerprint(file);
    expect(after[table]?.rows).toBe(before[table]?.rows);
    expect(after[table]?.digest).not.toBe(before[table]?.digest);
  });

  test('is the same after a table was rebuilt in another order', () => {
    const before = dataJobs.fingerprint(file);
    sql(
      file,
      'CREATE TABLE u AS SELECT * FROM untyped ORDER BY value DESC; DROP TABLE untyped; ALTER TABLE u RENAME TO untyped',
    );
    expect(dataJobs.fingerprint(file)).toEqual(before);
  });

  test('does not change with sessions and the audit log', () => {
    const before = dataJobs.fingerprint(file);
    sql(file, "INSERT INTO sessions VALUES ('s'); INSERT INTO audit_log(at) VALUES ('now')");
    expect(dataJobs.fingerprint(file)).toEqual(before);
  });
});

describe('the soundness of a database', () => {
  test('is null when nothing is wrong', () => {
    expect(dataJobs.sound(file)).toBeNull();
  });

  test('names a row that refers to nothing', () => {
    sql(file, 'PRAGMA foreign_keys = off; UPDATE docs SET user_id = 99 WHERE id = 2');
    expect(dataJobs.sound(file)).toBe('row 2 of docs refers to a row of users that is not there');
  });

  test('says that a file is no database, or not there', () => {
    sql(file, 'PRAGMA journal_mode = delete');
    expect(dataJobs.sound(join(directory, 'none.db'))).toMatch(/unable to open/);
    expect(dataJobs.sound(import.meta.filename)).toMatch(/not a database/);
  });
});
