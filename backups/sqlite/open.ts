import Database from 'better-sqlite3';

export type Connection = Database.Database;

/**
 * Opens an existing database that is only read. Not with `readonly`: such a connection leaves `-wal` and `-shm`
 * files behind when it is the last one to close; `query_only` refuses writes as well and tidies up.
 * @throws SqliteError when it is not there or not a database
 */
export function openForReading(file: string): Connection {
  const database = new Database(file, { fileMustExist: true });
  try {
    database.pragma('query_only = on');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs `read` in one transaction of a connection of its own, so that it sees a single state of a live database. */
export function reading<T>(file: string, read: (database: Connection) => T): T {
  const database = openForReading(file);
  try {
    return database.transaction(read)(database);
  } finally {
    database.close();
  }
}

/** `"name"`, quotes doubled. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
