import type { Knex } from 'knex';

/** A point in time: ISO 8601 in UTC with milliseconds, as text, so that it sorts and compares alike on both databases. */
export function utc(table: Knex.CreateTableBuilder, column: string): Knex.ColumnBuilder {
  return table.string(column, 24);
}

export function reference(
  table: Knex.CreateTableBuilder,
  column: string,
  to: string,
): Knex.ReferencingColumnBuilder {
  return table.integer(column).references('id').inTable(to);
}

/** `column IN ('a', 'b')`, for a CHECK on a closed list of words. */
export function oneOf(column: string, words: readonly string[]): string {
  return `${column} IN (${words.map((word) => `'${word}'`).join(', ')})`;
}

/** An index that holds only while `condition` is true; both databases write it alike. */
export async function uniqueWhile(
  knex: Knex,
  name: string,
  on: string,
  columns: string[],
  condition: string,
): Promise<void> {
  await knex.raw(`CREATE UNIQUE INDEX ${name} ON ${on} (${columns.join(', ')}) WHERE ${condition}`);
}

export async function dropTables(knex: Knex, tables: readonly string[]): Promise<void> {
  for (const table of tables.toReversed()) await knex.schema.dropTable(table);
}
