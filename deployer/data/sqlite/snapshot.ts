import { openForReading, type Connection } from '../../../backups/sqlite/open.ts';

/** A connection that keeps the present state of a database until it is closed. */
export function snapshot(file: string): Connection {
  const database = openForReading(file);
  database.exec('BEGIN');
  // The first read takes it.
  database.prepare('SELECT count(*) FROM sqlite_master').get();
  return database;
}

/** Whether the database is in write-ahead mode, where whoever reads and whoever writes do not keep each other waiting. */
export const isWriteAhead = (database: Connection): boolean =>
  database.pragma('journal_mode', { simple: true }) === 'wal';
