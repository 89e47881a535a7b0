import knexFactory, { type Knex } from 'knex';
import type { Target } from './arguments.ts';

/** A connection that may write, and the check that every migration must leave behind passing. */
export interface Writable {
  knex: Knex;
  assertSound: (transaction: Knex.Transaction) => Promise<void>;
}

/** Opens the database, creating an SQLite file that is not there yet. `warn` gets Knex's own log lines. */
export async function openForWriting(target: Target, warn: (line: string) => void): Promise<Writable> {
  const log = { warn, error: warn, deprecate: warn, debug: () => {} };
  if (target.client === 'pg') {
    return {
      knex: knexFactory({ ...common, client: 'pg', connection: target.url, log }),
      assertSound: async () => {},
    };
  }
  const connection = { filename: target.file };
  const knex = knexFactory({ ...common, client: 'better-sqlite3', connection, useNullAsDefault: true, log });
  // WAL lasts in the file, and the instances that share it count on it. Foreign keys cannot be switched off
  // inside a transaction, and left on, the DROP TABLE of a table rebuild would delete the rows that refer to
  // it. So they are off here, and checked before each commit instead.
  await knex.raw('pragma journal_mode = wal');
  await knex.raw('pragma foreign_keys = off');
  return { knex, assertSound: assertForeignKeys };
}

/** The stack of an asynchronous query error would else not name the migration's line. One connection keeps the pragmas. */
const common = { asyncStackTraces: true, pool: { min: 1, max: 1 } };

async function assertForeignKeys(transaction: Knex.Transaction): Promise<void> {
  const broken = await transaction.raw<{ table: string; parent: string }[]>('pragma foreign_key_check');
  const [first] = broken;
  if (first === undefined) return;
  throw new Error(
    `leaves ${broken.length} row(s) that refer to nothing, the first in ${first.table} to ${first.parent}; ` +
      'foreign keys do not cascade while migrating, so delete or re-point these rows in the migration',
  );
}
