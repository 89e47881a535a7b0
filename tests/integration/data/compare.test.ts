import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { makeDatabase, sql, temporaryDirectory } from './fixture.ts';

const directory = temporaryDirectory();
const before = join(directory, 'before.db');
makeDatabase(before);
let after: string;
let number = 0;
beforeEach(async () => {
  after = join(directory, `${++number}.db`);
  await dataJobs.copy({ from: before, to: after });
});

const sentences = (except: string[] = []) =>
  dataJobs.compare({ before, after, except: new Set(except) }).map(({ sentence }) => sentence);

// The eight planted differences, and some that hide better.
const PLANTED = [
  [
    'a changed row, and who wrote it',
    'UPDATE users SET age = 30 WHERE id = 2',
    'users: 1 row changed (key 2), written by deployment d42 without a request at 2026-11-20T12:00:00Z',
  ],
  [
    'another type',
    "UPDATE pairs SET value = x'6f6e65' WHERE value = 'one'",
    'pairs: 1 row changed (key x/1)',
  ],
  [
    '1 that became 1.0',
    'DROP TRIGGER users_audit; UPDATE users SET age = 1.0 WHERE id = 1',
    'users: 1 row changed (key 1)',
  ],
  [
    'another case',
    "DROP TRIGGER users_audit; UPDATE users SET name = 'ANN' WHERE id = 1",
    'users: 1 row changed (key 1)',
  ],
  ['a deleted row', 'DELETE FROM docs WHERE id = 900', 'docs: 1 row removed (key 900)'],
  ['an extra row', "INSERT INTO pairs VALUES ('z', 3, 'new')", 'pairs: 1 row added (key z/3)'],
  ['a dropped index', 'DROP INDEX docs_by_title', 'docs: the index docs_by_title was dropped'],
  ['an added index', 'CREATE INDEX i ON docs(length)', 'docs: the index i was added'],
  ['a dropped trigger', 'DROP TRIGGER docs_added', 'docs: the trigger docs_added was dropped'],
  [
    'a changed sequence',
    "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'users'",
    'users: its sequence went from 4 to 9',
  ],
  [
    'a lost sequence',
    "DELETE FROM sqlite_sequence WHERE name = 'users'",
    'users: its sequence went from 4 to none',
  ],
  [
    'a changed view',
    'DROP VIEW titles; CREATE VIEW titles AS SELECT loud FROM docs',
    'titles: the view titles is defined differently',
  ],
  ['a new table', 'CREATE TABLE extra(a)', 'extra: the table extra was added'],
  ['a dropped full-text index', 'DROP TABLE docs_fts', 'docs_fts: the table docs_fts was dropped'],
  [
    'an added column',
    'ALTER TABLE pairs ADD COLUMN more',
    'pairs: the table pairs is defined differently: column more added',
  ],
  [
    'a row without a key',
    'UPDATE untyped SET value = 2 WHERE value = 1.5',
    'untyped: 1 row changed (rowid 3)',
  ],
  [
    'a row in a table that calls a column rowid',
    'DELETE FROM reals WHERE value = 0.1',
    'reals: 1 row removed (rowid 1)',
  ],
] as const;

describe('the comparison of two databases', () => {
  test('finds nothing between a database and its copy', () => {
    expect(sentences()).toEqual([]);
  });

  test.each(PLANTED)('finds %s', (_, change, sentence) => {
    sql(after, change);
    expect(sentences()).toContain(sentence);
  });

  test.each(PLANTED)('finds %s in a database that is watched', async (_, change, sentence) => {
    const id = await dataJobs.watch(after);
    sql(after, change);
    const found = dataJobs.watched({ id, file: after, except: new Set() });
    dataJobs.unwatch(id);
    expect(found.map((difference) => difference.sentence)).toContain(sentence);
    expect(found.map((difference) => difference.sentence)).toEqual(sentences());
  });

  test('names rows by what was done to them', () => {
    sql(after, "DELETE FROM pairs; INSERT INTO pairs VALUES ('x', 1, 'other'), ('n', 1, NULL)");
    expect(sentences()).toEqual([
      'pairs: 1 row changed (key x/1), 1 row added (key n/1), 2 rows removed (keys x/2, y/1)',
    ]);
  });

  test('names at most three rows, and each writer once', () => {
    sql(after, 'UPDATE users SET age = 30');
    sql(after, "INSERT INTO users(name) VALUES ('Eve'), ('Fay')");
    sql(after, 'DELETE FROM docs; INSERT INTO docs(id, title) VALUES (1, 1), (2, 2), (3, 3), (4, 4)');
    expect(sentences()).toEqual([
      expect.stringMatching(
        /^docs: 2 rows changed \(keys 1, 2\), 2 rows added \(keys 3, 4\), 1 row removed \(key 900\)$/,
      ),
      'users: 3 rows changed (keys 1, 2, 3), 2 rows added (keys 5, 6), written by deployment d42 without a request at 2026-11-20T12:00:00Z',
      'users: its sequence went from 4 to 6',
    ]);
    sql(
      after,
      'DELETE FROM pairs; WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n LIMIT 9) INSERT INTO pairs SELECT x, 0, 0 FROM n',
    );
    expect(sentences(['docs', 'users'])).toEqual([
      'pairs: 9 rows added (keys 1/0, 2/0, 3/0, …), 3 rows removed (keys x/1, x/2, y/1)',
    ]);
  });

  test('lets what refers to a table that may differ follow its new name', () => {
    sql(after, 'ALTER TABLE users RENAME TO people');
    expect(sentences(['users', 'people'])).toEqual([]);
    sql(after, 'ALTER TABLE docs RENAME TO papers');
    expect(sentences(['users', 'people'])).not.toEqual([]);
  });

  test('names the request and the actor of a write', () => {
    sql(
      after,
      `UPDATE docs SET title = 'other' WHERE id = 1;
       INSERT INTO audit_log(at, actor_id, request_id, table_name, row_id) VALUES ('noon', 5, 'r7', 'docs', '1')`,
    );
    expect(sentences()).toEqual([
      'docs: 1 row changed (key 1), written by no deployment in request r7 as actor 5 at noon',
    ]);
  });

  test('lets tables differ that may, with all that belongs to them', () => {
    sql(
      after,
      'DROP TRIGGER docs_added; ALTER TABLE docs ADD COLUMN more; UPDATE users SET age = 9; DELETE FROM sqlite_sequence',
    );
    expect(sentences(['docs', 'users'])).toEqual([]);
  });

  test('takes rows without a key that were only renumbered as the same', () => {
    sql(
      after,
      'CREATE TABLE u AS SELECT value FROM untyped ORDER BY rowid DESC; DROP TABLE untyped; CREATE TABLE untyped(value); INSERT INTO untyped SELECT value FROM u; DROP TABLE u',
    );
    expect(sentences()).toEqual([]);
  });

  test('compares keys that hold NULL by their rows', async () => {
    const [one, other] = [join(directory, 'null-1.db'), join(directory, 'null-2.db')];
    sql(one, 'CREATE TABLE t(a TEXT PRIMARY KEY, b); INSERT INTO t VALUES (NULL, 1), (NULL, 2)');
    await copyFile(one, other);
    const compare = () => dataJobs.compare({ before: one, after: other, except: new Set() });
    expect(compare()).toEqual([]);
    sql(other, 'UPDATE t SET b = 3 WHERE b = 2');
    expect(compare()).toEqual([{ table: 't', kind: 'rows', sentence: 't: 1 row changed (rowid 2)' }]);
  });
});

describe('the schema as text', () => {
  test('is the same for a copy, and another after a change', () => {
    expect(dataJobs.schema(after)).toBe(dataJobs.schema(before));
    expect(dataJobs.schema(after)).toContain('CREATE VIRTUAL TABLE docs_fts');
    expect(dataJobs.schema(after)).not.toContain('docs_fts_data');
    sql(after, 'DROP VIEW titles');
    expect(dataJobs.schema(after)).not.toBe(dataJobs.schema(before));
  });
});

describe('the changes that a restore would drop', () => {
  const changes = () => {
    const file = join(directory, `${number}.jsonl`);
    const count = dataJobs.changes({ now: after, earlier: before, file });
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    expect(lines).toHaveLength(count);
    return lines.map((line): unknown => JSON.parse(line));
  };

  test('are none when nothing changed', () => {
    expect(changes()).toEqual([]);
  });

  test('are the rows as they are now, and those that are gone', () => {
    sql(
      after,
      `UPDATE users SET age = 30 WHERE id = 1; DELETE FROM pairs WHERE b = 2; INSERT INTO untyped VALUES (9);
       CREATE TABLE extra(a); INSERT INTO extra VALUES (9007199254740993), (9e999); INSERT INTO sessions VALUES ('s')`,
    );
    expect(changes()).toEqual([
      { table: 'extra', key: null, action: 'insert', row: { a: '9007199254740993' } },
      { table: 'extra', key: null, action: 'insert', row: { a: 'Infinity' } },
      { table: 'pairs', key: 'x/2', action: 'delete', row: { a: 'x', b: 2, value: 'two' } },
      { table: 'untyped', key: '6', action: 'insert', row: { value: 9 } },
      {
        table: 'users',
        key: '1',
        action: 'update',
        row: { id: 1, name: 'Ann', age: 30, secret: { base64: 'AA==' } },
      },
    ]);
  });
});
