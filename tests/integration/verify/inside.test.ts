import { readFileSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openReader } from '../../../verify/database/reader.ts';
import { change, databases } from './database.ts';
import { judgeSocket } from './judge.ts';

const { copy, home } = databases();
// there the schema that the migrations make is kept, so that only the first test has to make it
enableCompileCache(home);

const judgeDatabase = (file: string): Promise<string[]> => judgeSocket('database', '/unused', file);
const judgeIntegrity = (file: string, baseline?: string): Promise<string[]> =>
  judgeSocket('integrity', '/unused', file, baseline === undefined ? {} : { baseline });

describe('database', () => {
  test.for(['seeded', 'empty'] as const)('passes a database that is %s', async (kind) => {
    expect(await judgeDatabase(copy(kind))).toEqual([]);
  });

  test('finds a pending migration', async () => {
    const file = copy();
    change(file, "delete from knex_migrations where name like '%_audit'");
    expect((await judgeDatabase(file))[0]).toMatch(/^the migrations lack \d+_audit: it is pending$/);
  });

  test('accepts the schema of a later release, but not that of another line', async () => {
    const file = copy();
    change(
      file,
      `insert into knex_migrations (name, batch) values ('29990101000000_later', 9);
       alter table documents add column later text; create index later_index on documents (later)`,
    );
    expect(await judgeDatabase(file)).toEqual([]);
    change(file, "insert into knex_migrations (name, batch) values ('20200101000000_other', 9)");
    expect(await judgeDatabase(file)).toEqual([
      'the migrations hold 20200101000000_other, which this tree does not have',
    ]);
  });

  test.for([
    [
      'drop index submissions_open',
      ['table submissions lacks a unique key over (name,rev)', 'the schema lacks index submissions_open'],
    ],
    ['drop index last_calls_open', ['the schema lacks index last_calls_open']],
    ['create index more on users (name)', ['the schema has index more']],
    [
      'create table stray (id integer)',
      ['the schema has table stray', 'the audit triggers are missing on stray'],
    ],
    [
      'drop trigger audit_follows_delete',
      ['the schema lacks trigger audit_follows_delete', 'the audit triggers are missing on follows'],
    ],
    [
      'drop table state_transitions',
      [
        'table state_transitions is missing',
        'the schema lacks index state_transitions_subject_from_state_to_state_role_unique',
      ],
    ],
    ['alter table users add column x text', ['the schema has another table users']],
    [
      'update comments set author_id = 99 where id = 2',
      ['foreign_key_check found 1 row(s) of comments that refer to no row of users'],
    ],
    ['pragma journal_mode = delete', ['the journal mode is delete']],
    ['delete from documents_fts where rowid = 2', ['the full-text index lacks draft-ada-layer-two']],
    [
      "insert into documents_fts (rowid, name) values (77, 'x')",
      ['the full-text index holds row 77 of no document'],
    ],
  ] as [string, string[]][])('after "%s" says so', async ([sql, sentences]) => {
    const file = copy();
    change(file, sql);
    expect(await judgeDatabase(file)).toEqual(sentences);
  });

  test('finds a table that was rebuilt without its keys', async () => {
    const file = copy();
    change(
      file,
      'create table bare as select * from follows; drop table follows; alter table bare rename to follows',
    );
    expect((await judgeDatabase(file))[0]).toBe(
      'table follows lacks a unique key over (user_id,doc_id) and a CHECK of level',
    );
  });

  test('finds a damaged file', async () => {
    const file = copy();
    const bytes = readFileSync(file);
    bytes.write('bem@', bytes.indexOf('ben@example.org', startOf(file, 'users_email_unique')));
    writeFileSync(file, bytes);
    expect((await judgeDatabase(file))[0]).toMatch(/^integrity_check found ".*index.*"$/);
  });

  test('says when the file is missing or is no database', async () => {
    const nothing = path.join(home, 'nothing.db');
    expect(await judgeDatabase(nothing)).toEqual([
      'the suite database could not be checked: unable to open database file',
    ]);
    const text = path.join(home, 'text.db');
    writeFileSync(text, 'no database at all, but long enough to be one. '.repeat(100));
    expect(await judgeDatabase(text)).toEqual([
      'the suite database could not be checked: file is not a database',
    ]);
  });

  test('judges a live database, in the middle of a write of somebody else', async () => {
    const file = copy();
    const writer = new Database(file);
    writer.exec("begin immediate; update users set name = 'Half' where id = 1");
    expect(await judgeDatabase(file)).toEqual([]);
    writer.exec('commit');
    writer.close();
  });

  test('cannot write', async () => {
    const reader = await openReader({ client: 'sqlite', file: copy() });
    await expect(reader.all("update users set name = 'x' returning id")).rejects.toThrow('readonly database');
    await reader.close();
  });
});

/** Where the first page of a table or index begins, in bytes. */
function startOf(file: string, name: string): number {
  const database = new Database(file, { readonly: true });
  const page = database
    .prepare<[string], number>('select rootpage from sqlite_master where name = ?')
    .pluck()
    .get(name);
  const size = Number(database.pragma('page_size', { simple: true }));
  database.close();
  return ((page ?? 0) - 1) * size;
}

describe('integrity without a baseline', () => {
  test('passes a database whose data agrees with itself', async () => {
    expect(await judgeIntegrity(copy('seeded'))).toEqual([]);
    expect(await judgeIntegrity(copy('empty'))).toEqual([]);
  });

  test.for([
    [
      "update counters set value = 2 where key = 'ml_number'",
      'the counter of ML numbers is 2, but the highest number is 1',
    ],
    [
      "update documents set ml_number = 7 where id = 2; update counters set value = 7 where key = 'ml_number'",
      'the ML numbers go up to 7, but only 2 are given',
    ],
    [
      "update documents set current_rev = '02' where id = 1",
      'the current revisions of draft-ada-layer-one is said to be 02, but the newest there is is 01',
    ],
    [
      'delete from revisions where doc_id = 3',
      'the current revisions of draft-ben-layer-three is said to be 00, but the newest there is is none',
    ],
    [
      'delete from revision_files where revision_id = 4',
      'the files of revisions lack one for draft-ben-layer-three-00',
    ],
    ['delete from authors where doc_id = 2', 'the authors lack one for draft-ada-layer-two'],
    [
      'drop trigger events_no_delete; delete from events where doc_id = 3',
      'the history lacks any event of draft-ben-layer-three',
    ],
    [
      "update documents set state = 'active' where id = 2",
      'the last calls hold an open one for draft-ada-layer-two, which is active',
    ],
    [
      'update comments set depth = 5 where id = 3',
      'the comment threads are broken at comment 3: depth 5 below depth 1',
    ],
    [
      'update comments set root_id = 2 where id = 3',
      'the comment threads are broken at comment 3: depth 2 below depth 1',
    ],
    [
      "update comments set deleted_at = 'now' where id = 3",
      'deleted comments do not say who deleted comment 3',
    ],
    [
      "drop trigger audit_log_no_delete; delete from audit_log where table_name = 'documents' and row_id = '2'",
      'the audit log does not tell of draft-ada-layer-two',
    ],
  ])('after "%s" says so', async ([sql = '', sentence]) => {
    const file = copy();
    change(file, sql);
    expect(await judgeIntegrity(file)).toContain(sentence);
  });
});

describe('integrity against a baseline', () => {
  async function baselineOf(file: string): Promise<string> {
    const reader = await openReader({ client: 'sqlite', file });
    const tables: Record<string, unknown> = {};
    for (const name of await reader.tables()) tables[name] = await reader.digest(name);
    await reader.close();
    const target = `${file}.json`;
    writeFileSync(target, JSON.stringify({ tables }));
    return target;
  }

  test('passes the same data, and changes of tables that are exempt', async () => {
    const file = copy();
    const baseline = await baselineOf(file);
    expect(await judgeIntegrity(file, baseline)).toEqual([]);
    change(
      file,
      `update counters set value = 9; insert into cache_versions values ('x', 1); insert into rate_counters values ('x', 'now', 1);
       insert into sessions (id, user_id, created_at, expires_at) values ('s', 1, 'now', 'then')`,
    );
    expect(await judgeIntegrity(file, baseline)).toEqual([]);
  });

  test('passes the same rows in another order', async () => {
    const file = copy();
    change(file, 'create table pair (a, b); insert into pair values (1, 2), (3, 4)');
    const baseline = await baselineOf(file);
    change(file, 'delete from pair; insert into pair values (3, 4), (1, 2)');
    expect(await judgeIntegrity(file, baseline)).toEqual([]);
  });

  test.for([
    [
      'update documents set title = upper(title) where id = 2',
      'table documents has the same 3 rows with other values',
    ],
    ["update counted set value = '1'", 'table counted has the same 1 rows with other values'],
    ['update counted set value = 1.0', 'table counted has the same 1 rows with other values'],
    ["update counted set value = x'31'", 'table counted has the same 1 rows with other values'],
    ['update counted set value = null', 'table counted has the same 1 rows with other values'],
    [
      'update counted set value = other, other = value',
      'table counted has the same 1 rows with other values',
    ],
    ['delete from authors where doc_id = 1', 'table authors has 2 rows instead of 3'],
    ["insert into settings values ('a', 'b', 'now')", 'table settings has 1 rows instead of 0'],
    ['create table fresh (id integer)', 'table fresh is new'],
    ['drop table counted', 'table counted is gone with its 1 rows'],
  ])('after "%s" names the table', async ([sql = '', sentence]) => {
    const file = copy();
    change(file, 'create table counted (value, other); insert into counted values (1, 2)');
    const baseline = await baselineOf(file);
    change(file, sql);
    expect(await judgeIntegrity(file, baseline)).toEqual([sentence]);
  });
});
