import { closeSync, openSync, writeSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Value } from './digest.ts';
import { quoteName, reading, type Connection } from './sqlite/open.ts';
import { listColumns } from './sqlite/tables.ts';

/** Writes a database as SQL text, from which any SQLite makes the same database again. */
export function writeSql(databaseFile: string, toFile: string): void {
  const descriptor = openSync(toFile, 'wx', 0o600);
  try {
    reading(databaseFile, (database) => {
      for (const line of sqlOf(database)) writeSync(descriptor, `${line}\n`);
    });
  } finally {
    closeSync(descriptor);
  }
}

/**
 * As `sqlite3`'s own `.dump`: tables with their rows, then what would get in their way: indexes, views, triggers.
 * A virtual table is entered into the schema by hand, because its shadow tables come with their rows.
 */
function* sqlOf(database: Connection): Generator<string> {
  const objects = schemaOf(database);
  const tables = objects.filter(({ type }) => type === 'table');
  const virtual = tables.filter(({ sql }) => /^CREATE VIRTUAL TABLE/i.test(sql));
  const encoding = z.string().parse(database.pragma('encoding', { simple: true }));
  yield `PRAGMA encoding = '${encoding}';`;
  yield 'PRAGMA foreign_keys = OFF;';
  yield* numbers(database, ['user_version', 'application_id']);
  yield 'BEGIN TRANSACTION;';
  if (virtual.length > 0) yield 'PRAGMA writable_schema = ON;';
  for (const { name, sql } of tables) {
    if (name.startsWith('sqlite_') || virtual.some((table) => table.name === name)) continue;
    yield `${sql};`;
    yield* rowsOf(database, name, encoding);
  }
  for (const { name, sql } of virtual) yield schemaRow(name, sql);
  yield* internalTables(database, tables, encoding);
  for (const type of ['index', 'view', 'trigger']) {
    for (const object of objects) if (object.type === type) yield `${object.sql};`;
  }
  if (virtual.length > 0) yield 'PRAGMA writable_schema = OFF;';
  yield 'COMMIT;';
}

const schemaObject = z.object({ type: z.string(), name: z.string(), sql: z.string() });

/** What was created by a statement, in order of creation. */
function schemaOf(database: Connection) {
  const statement = database.prepare(
    'SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid',
  );
  return z.array(schemaObject).parse(statement.all());
}

function* numbers(database: Connection, pragmas: string[]): Generator<string> {
  for (const pragma of pragmas) {
    yield `PRAGMA ${pragma} = ${z.number().parse(database.pragma(pragma, { simple: true }))};`;
  }
}

const schemaRow = (name: string, sql: string) =>
  'INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) ' +
  `VALUES('table', ${quoteText(name)}, ${quoteText(name)}, 0, ${quoteText(sql)});`;

/** Where AUTOINCREMENT goes on, and the planner's statistics: SQLite has made these tables itself by now. */
function* internalTables(
  database: Connection,
  tables: { name: string }[],
  encoding: string,
): Generator<string> {
  const has = (name: string) => tables.some((table) => table.name === name);
  if (has('sqlite_sequence')) {
    yield 'DELETE FROM sqlite_sequence;';
    yield* rowsOf(database, 'sqlite_sequence', encoding);
  }
  if (has('sqlite_stat1')) {
    yield 'ANALYZE sqlite_schema;';
    yield 'DELETE FROM sqlite_stat1;';
    yield* rowsOf(database, 'sqlite_stat1', encoding);
  }
}

function* rowsOf(database: Connection, table: string, encoding: string): Generator<string> {
  const columns = storedColumns(database, table);
  // Text as the bytes it is stored in: a JavaScript string would lose what is not UTF-8.
  const values = columns.map((column) => `typeof(${column}), ${bytesOfText(column)}`).join(', ');
  const statement = database
    .prepare<[], Value[]>(`SELECT ${values} FROM ${quoteName(table)}`)
    .raw(true)
    .safeIntegers(true);
  const insert = `INSERT INTO ${quoteName(table)}(${columns.join(', ')}) VALUES`;
  for (const row of statement.iterate()) {
    const literals = columns.map((_, index) =>
      literal(row[2 * index + 1] ?? null, row[2 * index] === 'text', encoding),
    );
    yield `${insert}(${literals.join(',')});`;
  }
}

const bytesOfText = (column: string) =>
  `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ELSE ${column} END`;

/** Quoted names of the columns that an INSERT may name, the rowid among them where no column shows it. */
function storedColumns(database: Connection, table: string): string[] {
  const columns = listColumns(database, table);
  const stored = columns.filter(({ hidden }) => hidden === 0).map(({ name }) => quoteName(name));
  const rowid = hiddenRowid(database, table, columns);
  return rowid === null ? stored : [rowid, ...stored];
}

/** A full-text index may refer to rowids, so that they have to come back as they were. */
function hiddenRowid(
  database: Connection,
  table: string,
  columns: { name: string; type: string; pk: number }[],
) {
  if (table.startsWith('sqlite_')) return null;
  const key = columns.filter(({ pk }) => pk > 0);
  if (key.length === 1 && /^integer$/i.test(key[0]?.type ?? '')) return null;
  const withRowid =
    database.prepare('SELECT 1 FROM pragma_table_list(?) WHERE wr = 0').get(table) !== undefined;
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  return (withRowid && ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name))) || null;
}

function literal(value: Value, isText: boolean, encoding: string): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return real(value);
  if (typeof value === 'string') return quoteText(value);
  if (!isText) return `X'${value.toString('hex')}'`;
  const plain = encoding === 'UTF-8' && isUtf8(value) && !value.includes(0);
  return plain ? quoteText(value.toString('utf8')) : `CAST(X'${value.toString('hex')}' AS TEXT)`;
}

/** Older SQLite does not read numbers of extreme size to the last bit: those are written as a product with 2^32. */
const SCALE = 2 ** 32;
const LARGE = 1e200;

function real(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  if (Math.abs(value) > LARGE) return `${real(value / SCALE)}*${SCALE}.0`;
  if (value !== 0 && Math.abs(value) < 1 / LARGE) return `${real(value * SCALE)}/${SCALE}.0`;
  return value.toExponential(16);
}

const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`;
