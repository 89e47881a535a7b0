import { digestTable } from '../../../backups/sqlite/fingerprint.ts';
import { openForReading, type Connection } from '../../../backups/sqlite/open.ts';

/** Runs `read` where `before` is the schema `main` and `after` the schema `after`, each in one state, live or not. */
export function withBoth<T>(before: string, after: string, read: (database: Connection) => T): T {
  const database = openForReading(before);
  try {
    return withAfter(database, after, read);
  } finally {
    database.close();
  }
}

/** The same on an open connection, which may keep an earlier state of the very same file. */
export function withAfter<T>(database: Connection, after: string, read: (database: Connection) => T): T {
  database.prepare('ATTACH ? AS after').run(after);
  return database.transaction(read)(database);
}

/** Whether a table holds the same rows in both: without a key they are matched by rowid, which a rebuild renumbers. */
export const sameRows = (database: Connection, table: string): boolean =>
  digestTable(database, table, 'main').digest === digestTable(database, table, 'after').digest;
