import Database from 'better-sqlite3';
import { z } from 'zod';
import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { comparableTables, listColumns } from '../../../backups/sqlite/tables.ts';
import type { Marks } from '../types.ts';
import { makeRow } from './make-row.ts';

const indexed = z.array(z.object({ column: z.string() }));

/**
 * Writes what a visitor might write after a migration: to each table that takes one more row a double of one that it
 * has, with a key of its own, or else one that is made up. What constraints and triggers refuse is not written.
 */
export function markTables(file: string, tables: readonly string[]): Marks {
  const database = new Database(file);
  try {
    database.pragma('foreign_keys = off');
    const names = comparableTables(database).map(({ name }) => name);
    const present = tables.filter((table) => names.includes(table));
    const doubled = present.filter((table) => double(database, table));
    const made = present.filter((table) => !doubled.includes(table) && makeRow(database, table));
    return { doubled, made };
  } finally {
    database.close();
  }
}

function double(database: Connection, table: string): boolean {
  const unique = uniqueColumns(database, table);
  const columns = listColumns(database, table).filter(({ hidden }) => hidden === 0);
  const [key, ...more] = columns.filter(({ pk }) => pk > 0);
  // SQLite gives the next number itself.
  const given = more.length === 0 && key?.type.toUpperCase() === 'INTEGER' ? key.name : null;
  const kept = columns.filter(({ name }) => name !== given);
  if (kept.length === 0) return false;
  const names = kept.map(({ name }) => quoteName(name));
  return OTHERS.some((other) => {
    const values = kept.map(({ name }) => (unique.has(name) ? other(quoteName(name)) : quoteName(name)));
    return writesOne(
      database,
      `INSERT INTO ${quoteName(table)} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${quoteName(table)} LIMIT 1`,
    );
  });
}

/** A constraint or a trigger may refuse it. */
function writesOne(database: Connection, insert: string): boolean {
  try {
    return database.prepare(insert).run().changes === 1;
  } catch {
    return false;
  }
}

/** A value that is not there yet: of the same type and much the same look, so that checks have a chance to pass. */
const otherBy = (text: (column: string) => string) => (column: string) =>
  `CASE typeof(${column}) WHEN 'integer' THEN ${column} + 1000000007 WHEN 'text' THEN ${text(column)} WHEN 'blob' THEN randomblob(16) ELSE ${column} END`;

const OTHERS = [
  otherBy((column) => `${column} || '-rehearsal'`),
  otherBy((column) => `'rehearsal-' || ${column}`),
];

function uniqueColumns(database: Connection, table: string): ReadonlySet<string> {
  const rows = database
    .prepare(
      `SELECT info.name AS column FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
       WHERE list."unique" = 1 AND info.name IS NOT NULL
       UNION SELECT name FROM pragma_table_info(?) WHERE pk > 0`,
    )
    .all(table, table);
  return new Set(indexed.parse(rows).map(({ column }) => column));
}
