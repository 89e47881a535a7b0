import { z } from 'zod';
import { digestRows, type TableDigest, type Value } from '../digest.ts';
import { quoteName, type Connection } from './open.ts';
import { comparableTables } from './tables.ts';

/** Row count and digest of each table that counts. */
export type Fingerprint = Readonly<Record<string, TableDigest>>;

/** Reads every row once; run it inside a transaction, in a thread. */
export function fingerprint(database: Connection): Fingerprint {
  const tables = comparableTables(database);
  return Object.fromEntries(tables.map(({ name }) => [name, digestTable(database, name)]));
}

const count = z.object({ rows: z.number() });

/** Rows of each table that counts. */
export function countRows(database: Connection): Record<string, number> {
  const rowsOf = (table: string) =>
    count.parse(database.prepare(`SELECT count(*) AS rows FROM ${quoteName(table)}`).get()).rows;
  return Object.fromEntries(comparableTables(database).map(({ name }) => [name, rowsOf(name)]));
}

/** The digest of one table; of an attached schema when that is named. */
export function digestTable(database: Connection, table: string, schema = 'main'): TableDigest {
  const statement = database.prepare<[], Value[]>(`SELECT * FROM ${quoteName(schema)}.${quoteName(table)}`);
  return digestRows(statement.raw(true).safeIntegers(true).iterate());
}
