import { z } from 'zod';
import type { Connection } from './open.ts';

/** What an application may change at any moment without it meaning anything for the data: left out by name. */
const EXEMPT: ReadonlySet<string> = new Set([
  'sessions',
  'counters',
  'rate_counters',
  'cache_versions',
  'audit_log',
  'knex_migrations',
  'knex_migrations_lock',
]);

/** Whether a table is exempt from comparison: by name, or because SQLite keeps it for itself. */
export const isExempt = (table: string): boolean =>
  EXEMPT.has(table.toLowerCase()) || /^sqlite_/i.test(table);

const tableRow = z.object({
  schema: z.string(),
  name: z.string(),
  type: z.enum(['table', 'view', 'shadow', 'virtual']),
  /** 1 for WITHOUT ROWID. */
  wr: z.number(),
});

export interface Table {
  name: string;
  /** Whether it has a rowid. */
  rowid: boolean;
}

/**
 * The ordinary tables of an attached schema, sorted by name. Virtual tables (a full-text index) and the shadow
 * tables that they keep are left out: they are derived, and laid out by the history of writes.
 */
export function listTables(database: Connection, schema = 'main'): Table[] {
  return z
    .array(tableRow)
    .parse(database.pragma('table_list'))
    .filter((row) => row.schema === schema && row.type === 'table')
    .map(({ name, wr }) => ({ name, rowid: wr === 0 }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The tables whose rows count: `listTables` without the exempt ones. */
export const comparableTables = (database: Connection, schema = 'main'): Table[] =>
  listTables(database, schema).filter(({ name }) => !isExempt(name));

const columnRow = z.object({
  name: z.string(),
  type: z.string(),
  /** Place in the primary key from 1; 0: not part of it. */
  pk: z.number(),
  /** 1: hidden column of a virtual table; 2, 3: generated. */
  hidden: z.number(),
});
export type Column = z.output<typeof columnRow>;

/** Columns in declared order, as `SELECT *` gives them: generated ones too. */
export function listColumns(database: Connection, table: string, schema = 'main'): Column[] {
  const statement = database.prepare(
    'SELECT name, type, pk, hidden FROM pragma_table_xinfo(?, ?) ORDER BY cid',
  );
  return z
    .array(columnRow)
    .parse(statement.all(table, schema))
    .filter(({ hidden }) => hidden !== 1);
}
