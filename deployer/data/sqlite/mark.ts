import Database from 'better-sqlite3';
import { z } from 'zod';
import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { comparableTables, listColumns } from '../../../backups/sqlite/tables.ts';

const indexed = z.array(z.object({ column: z.string() }));

/**
 * Writes what a visitor might write after a migration: to each table that takes one more row, a double of one with a
 * key of its own, or plain values where it is empty. Returns the tables that took it; constraints may refuse, and then nothing is known.
 */
export function markTables(file: string, tables: readonly string[]): string[] {
  const database = new Database(file);
  try {
    const present = comparableTables(database).map(({ name }) => name);
    return tables.filter((table) => present.includes(table) && mark(database, table));
  } finally {
    database.close();
  }
}

function mark(database: Connection, table: string): boolean {
  const unique = uniqueColumns(database, table);
  const columns = listColumns(database, table).filter(({ hidden }) => hidden === 0);
  const [key, ...more] = columns.filter(({ pk }) => pk > 0);
  // SQLite gives the next number itself.
  const given = more.length === 0 && key?.type.toUpperCase() === 'INTEGER' ? key.name : null;
  const kept = columns.filter(({ name }) => name !== given);
  if (kept.length === 0) return false;
  const values = kept.map(({ name }) => (unique.has(name) ? other(quoteName(name)) : quoteName(name)));
  const names = kept.map(({ name }) => quoteName(name)).join(', ');
  const insert = `INSERT INTO ${quoteName(table)} (${names})`;
  const double = `${insert} SELECT ${values.join(', ')} FROM ${quoteName(table)} LIMIT 1`;
  const first = `${insert} VALUES (${kept.map(({ type }) => plain(type)).join(', ')})`;
  try {
    return database.prepare(double).run().changes === 1 || database.prepare(first).run().changes === 1;
  } catch {
    // A constraint or a trigger refuses the row: this table cannot be tried this way.
    return false;
  }
}

/** A value that a column of this type keeps as it is. */
function plain(type: string): string {
  if (/BLOB/i.test(type)) return "x'00'";
  return /INT|REAL|FLOA|DOUB|NUM|DEC|BOOL/i.test(type) ? '1' : "'rehearsal'";
}

/** A value that is not there yet: of the same type, so that checks have a chance to pass. */
const other = (column: string) =>
  `CASE typeof(${column}) WHEN 'integer' THEN ${column} + 1000000007 WHEN 'text' THEN ${column} || '-rehearsal' ELSE ${column} END`;

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
