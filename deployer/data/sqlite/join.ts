import { z } from 'zod';
import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { listColumns, listTables, type Column } from '../../../backups/sqlite/tables.ts';

/** A table that is in both of two attached schemas, and how their rows are matched. */
export interface JoinedTable {
  name: string;
  /** The primary key's columns; null: matched by rowid. */
  key: string[] | null;
  /** SQL: that row `a` of `main` and row `b` of `after` are the same row. */
  sameKey: string;
  /** SQL: that they hold different values. */
  differs: string;
  /** SQL of an expression that tells a row in words, by alias. */
  keyText: (alias: string) => string;
}

export type Action = 'insert' | 'update' | 'delete';
export type ChangeCounts = Readonly<Record<Action, number>>;

/** How the rows of a table are matched: by its primary key, else by rowid. */
export function joinedTable(database: Connection, name: string): JoinedTable {
  const [before, after] = ['main', 'after'].map((schema) => listColumns(database, name, schema));
  const shared = (before ?? []).filter((column) => after?.some((other) => other.name === column.name));
  const rowids = ['main', 'after'].every((schema) => hasRowid(database, name, schema));
  const key = usableKey(database, name, before ?? [], after ?? [], rowids);
  const match = key?.map(quoteName) ?? [rowidName(shared)];
  return {
    name,
    key,
    sameKey: match.map((column) => `a.${column} = b.${column}`).join(' AND '),
    differs: shared.map(({ name: column }) => valueDiffers(quoteName(column))).join(' OR ') || 'false',
    // As the audit log writes a key of several columns.
    keyText: (alias) => match.map((column) => `CAST(${alias}.${column} AS TEXT)`).join(` || '/' || `),
  };
}

/** `IS NOT` alone takes 1 for 1.0, and under NOCASE `a` for `A`. */
const valueDiffers = (column: string) =>
  `typeof(a.${column}) IS NOT typeof(b.${column}) OR a.${column} IS NOT b.${column} COLLATE BINARY`;

function usableKey(database: Connection, name: string, before: Column[], after: Column[], rowids: boolean) {
  const [key, same] = [before, after].map((columns) =>
    columns
      .filter(({ pk }) => pk > 0)
      .sort((a, b) => a.pk - b.pk)
      .map((column) => column.name),
  );
  if (key === undefined || key.length === 0 || key.join('\0') !== same?.join('\0')) return null;
  // SQLite allows NULL in the key of a table with rowid, and nothing equals NULL.
  return rowids && hasNull(database, name, key) ? null : key;
}

function hasNull(database: Connection, name: string, key: string[]): boolean {
  const isNull = key.map((column) => `${quoteName(column)} IS NULL`).join(' OR ');
  return ['main', 'after'].some(
    (schema) =>
      database.prepare(`SELECT 1 FROM ${schema}.${quoteName(name)} WHERE ${isNull} LIMIT 1`).get() !==
      undefined,
  );
}

const hasRowid = (database: Connection, name: string, schema: string) =>
  listTables(database, schema).some((table) => table.name === name && table.rowid);

/** The name of the rowid that no column hides. */
function rowidName(columns: Column[]): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  return ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name)) ?? 'rowid';
}

const counts = z.object({ matched: z.number(), updated: z.number(), before: z.number(), after: z.number() });

/** Counts what differs, by one join on the key. */
export function countChanges(database: Connection, table: JoinedTable): ChangeCounts {
  const row = database
    .prepare(
      `SELECT count(*) AS matched, coalesce(sum(${table.differs}), 0) AS updated,
         (SELECT count(*) FROM main.${quoteName(table.name)}) AS before,
         (SELECT count(*) FROM after.${quoteName(table.name)}) AS after
       FROM ${bothSides(table)}`,
    )
    .get();
  const { matched, updated, before, after } = counts.parse(row);
  return { insert: after - matched, update: updated, delete: before - matched };
}

const bothSides = ({ name, sameKey }: JoinedTable) =>
  `main.${quoteName(name)} AS a JOIN after.${quoteName(name)} AS b ON ${sameKey}`;

/** FROM and WHERE that find the rows of one action, and the alias under which the telling row is found. */
export function rowsOf(table: JoinedTable, action: Action): { source: string; alias: 'a' | 'b' } {
  const name = quoteName(table.name);
  const noOther = (schema: string, alias: string) =>
    `NOT EXISTS (SELECT 1 FROM ${schema}.${name} AS ${alias} WHERE ${table.sameKey})`;
  if (action === 'update') return { source: `${bothSides(table)} WHERE ${table.differs}`, alias: 'b' };
  if (action === 'insert') return { source: `after.${name} AS b WHERE ${noOther('main', 'a')}`, alias: 'b' };
  return { source: `main.${name} AS a WHERE ${noOther('after', 'b')}`, alias: 'a' };
}

export const ACTIONS: readonly Action[] = ['update', 'insert', 'delete'];

const example = z.object({ keyText: z.string().nullable() });

/** The keys of the first rows of one action, as text. */
export function firstKeys(database: Connection, table: JoinedTable, action: Action, limit: number): string[] {
  const { source, alias } = rowsOf(table, action);
  const rows = database
    .prepare(`SELECT ${table.keyText(alias)} AS keyText FROM ${source} LIMIT ?`)
    .all(limit);
  return rows.map((row) => example.parse(row).keyText ?? 'null');
}
