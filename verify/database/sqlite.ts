import Database from 'better-sqlite3';
import { check, type Fault } from '../check.ts';
import { tableDigester, type TableDigest, type Value } from '../digest.ts';
import { locate } from '../locate.ts';
import type { Check } from '../report.ts';
import type { Reader, TableKeys } from './reader.ts';
import { normalise, schemaOfMigrations, type SchemaObject } from './scratch.ts';

const SCHEMA = `select type, name, sql from sqlite_master
  where sql is not null and name not like 'sqlite\\_%' escape '\\' order by type, name`;

/** @throws when the file is not there or is no database */
export function openSqlite(file: string): Reader {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  database.pragma('query_only = on');
  const all = <Row extends object>(sql: string): Row[] => database.prepare<[], Row>(sql).all();
  return {
    all: async (sql) => all(sql),
    tables: async () => database.prepare<[], string>(TABLES).pluck().all(),
    keys: async (table) => keysOf(database, table),
    digest: async (table) => digestOf(database, table),
    soundness: (newer) => soundness(database, newer),
    close: async () => void database.close(),
  };
}

const TABLES = `select name from pragma_table_list where schema = 'main' and type = 'table'
  and name not like 'sqlite\\_%' escape '\\' order by name`;

function digestOf(database: Database.Database, table: string): TableDigest {
  const digester = tableDigester();
  const rows = database
    .prepare<[], Value[]>(`select * from "${table.replaceAll('"', '""')}"`)
    .raw()
    .safeIntegers();
  for (const row of rows.iterate()) digester.add(row);
  return digester.finish();
}

function keysOf(database: Database.Database, table: string): TableKeys {
  const columns = (sql: string): string[] => database.prepare<[string], string>(sql).pluck().all(table);
  return {
    unique: columns(`select (select group_concat(name) from pragma_index_info(list.name))
      from pragma_index_list(?) list where "unique"`),
    foreign: columns(`select group_concat("from") || '>' || "table" from
      (select * from pragma_foreign_key_list(?) order by id, seq) group by id`),
    checks: columns(
      "select sql from sqlite_master where type = 'table' and name = ? and sql like '%check%'",
    ).join(' '),
  };
}

async function soundness(database: Database.Database, newer: boolean): Promise<Check[]> {
  return [
    await check('integrity_check', 'ok', () => integrity(database)),
    await check('foreign_key_check', 'every reference leads to a row', () => references(database)),
    await check('the journal mode', 'wal', () => pragma(database, 'journal_mode', 'wal')),
    await check('the encoding', 'UTF-8', () => pragma(database, 'encoding', 'UTF-8')),
    await check('the schema', 'what the migrations of this tree make', () => compareSchema(database, newer)),
    await check('the audit triggers', 'are on every table of the domain', () => auditTriggers(database)),
    await check('the full-text index', 'has one row for each document', () => fullText(database)),
  ];
}

function integrity(database: Database.Database): Fault | null {
  const found = String(database.pragma('integrity_check(1)', { simple: true }));
  return found === 'ok'
    ? null
    : { actual: `found "${found}"`, hint: 'the file is damaged: restore a verified backup' };
}

function references(database: Database.Database): Fault | null {
  const broken = database
    .prepare<[], { table: string; parent: string; count: number }>(
      'select "table", parent, count(*) as count from pragma_foreign_key_check group by 1, 2 order by 1, 2',
    )
    .get();
  if (broken === undefined) return null;
  const { table, parent, count } = broken;
  return {
    actual: `found ${count} row(s) of ${table} that refer to no row of ${parent}`,
    hint: `some program wrote to ${table} or ${parent} with foreign keys switched off`,
  };
}

function pragma(database: Database.Database, name: string, expected: string): Fault | null {
  const actual = String(database.pragma(name, { simple: true }));
  return actual === expected
    ? null
    : { actual: `is ${actual}`, hint: 'migrations/run.ts sets it when it opens the database' };
}

async function compareSchema(database: Database.Database, newer: boolean): Promise<Fault | null> {
  const wanted = await schemaOfMigrations(readSchema);
  const found = readSchema(database);
  const missing = wanted.find(
    ({ type, name }) => !found.some((object) => object.type === type && object.name === name),
  );
  if (missing !== undefined)
    return fault('lacks', missing, 'a migration that rebuilt the table may have dropped it');
  if (newer) return null;
  const extra = found.find(
    ({ type, name }) => !wanted.some((object) => object.type === type && object.name === name),
  );
  if (extra !== undefined) return fault('has', extra, 'no migration of this tree makes it');
  const other = found.find(({ type, name, sql }) =>
    wanted.some((object) => object.type === type && object.name === name && object.sql !== sql),
  );
  return other === undefined
    ? null
    : fault('has another', other, 'a migration was edited after it was applied');
}

/** Tables that change without anybody having decided anything, and those that the log itself needs. */
const UNAUDITED = new Set([
  'sessions',
  'counters',
  'rate_counters',
  'cache_versions',
  'outbox',
  'audit_log',
  'audit_context',
  'knex_migrations',
  'knex_migrations_lock',
]);

/** SQLite drops a table's triggers with it, so a migration that rebuilds one easily loses them. */
function auditTriggers(database: Database.Database): Fault | null {
  const audited = database
    .prepare<[], string>(
      `select tbl_name from sqlite_master where type = 'trigger' and sql like '%insert into audit_log%'
        group by tbl_name having count(*) >= 3`,
    )
    .pluck()
    .all();
  const tables = database.prepare<[], string>(TABLES).pluck().all();
  const bare = tables.find((table) => !UNAUDITED.has(table) && !audited.includes(table));
  if (bare === undefined) return null;
  return {
    actual: `are missing on ${bare}`,
    hint: 'put them back at the end of the migration that rebuilt the table, or name it in UNAUDITED',
    location: () => locate('migrations/datatracker', `createTable('${bare}'`),
  };
}

function fullText(database: Database.Database): Fault | null {
  const lost = database
    .prepare<[], string>(
      'select name from documents where id not in (select rowid from documents_fts) limit 1',
    )
    .pluck()
    .get();
  if (lost !== undefined) return { actual: `lacks ${lost}`, hint: 'its triggers on documents were missing' };
  const stale = database
    .prepare<[], number>(
      'select rowid from documents_fts where rowid not in (select id from documents) limit 1',
    )
    .pluck()
    .get();
  return stale === undefined
    ? null
    : { actual: `holds row ${stale} of no document`, hint: 'its triggers on documents were missing' };
}

function fault(what: string, { type, name }: SchemaObject, hint: string): Fault {
  return { actual: `${what} ${type} ${name}`, hint, location: () => locate('migrations/datatracker', name) };
}

function readSchema(database: Database.Database): SchemaObject[] {
  return database.prepare<[], SchemaObject>(SCHEMA).all().map(normalise);
}
