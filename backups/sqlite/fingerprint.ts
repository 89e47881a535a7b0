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

/** The digest of one table; of an attached schema when that is named. */
export function digestTable(database: Connection, table: string, schema = 'main'): TableDigest {
  const statement = database.prepare<[], Value[]>(`SELECT * FROM ${quoteName(schema)}.${quoteName(table)}`);
  return digestRows(statement.raw(true).safeIntegers(true).iterate());
}
