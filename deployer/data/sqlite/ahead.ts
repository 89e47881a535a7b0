import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { openForReading, type Connection } from '../../../backups/sqlite/open.ts';
import { isWriteAhead, snapshot } from './snapshot.ts';

/** What each copy that is not finished keeps of its source. */
const begun = new Map<string, Connection>();

/** Bytes; a longer log is not worth keeping. */
const LONG_LOG = 16 * 1024 ** 2;

/** Whether most of a copy can be made while others write to the source. */
export function copiesAhead(file: string): boolean {
  const database = openForReading(file);
  try {
    return isWriteAhead(database);
  } finally {
    database.close();
  }
}

/**
 * Keeps the write-ahead log of a database that others may write to from being begun anew, so that the log holds all that
 * the database itself does not (https://sqlite.org/walformat.html: a page that changes in the database was in the log
 * before, and a log is begun anew only when nobody reads the state before). Where all of it was in the database, that is
 * left as it is, and the log may be begun anew once.
 */
export async function begin(from: string): Promise<string> {
  await shortenLog(from);
  const id = randomUUID();
  begun.set(id, snapshot(from));
  return id;
}

/** Returns whether it was kept until now: a thread that was started anew knows nothing of it. */
export function giveUp(id: string): boolean {
  begun.get(id)?.close();
  return begun.delete(id);
}

/** A log keeps the length that it once had. Without patience: while somebody reads what is in it, it stays. */
async function shortenLog(file: string): Promise<void> {
  const log = await stat(`${file}-wal`).catch(() => null);
  if (log === null || log.size < LONG_LOG) return;
  const database = new Database(file, { fileMustExist: true, timeout: 0 });
  try {
    // First what keeps nobody waiting.
    for (const mode of ['PASSIVE', 'TRUNCATE']) database.pragma(`wal_checkpoint(${mode})`);
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
  } finally {
    database.close();
  }
}
