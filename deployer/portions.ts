import type { Knex } from 'knex';

/** Few enough that nobody waits for them noticeably. */
const ROWS_AT_ONCE = 1000;

/**
 * Deletes the rows of a table with an `id` that `old` chooses, some at a time: one statement for a month of them would
 * keep the whole daemon waiting.
 */
export async function inPortions(
  state: Knex,
  table: string,
  old: (rows: Knex.QueryBuilder) => Knex.QueryBuilder,
): Promise<void> {
  for (;;) {
    const some = old(state(table)).limit(ROWS_AT_ONCE).select('id');
    if ((await state(table).whereIn('id', some).delete()) < ROWS_AT_ONCE) return;
    await new Promise(setImmediate);
  }
}
