import { randomUUID } from 'node:crypto';
import { copyFile, stat } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { copyDatabase, syncToDisk } from '../../../backups/sqlite/copy.ts';
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
 * Copies a database that others may write to, and keeps its write-ahead log from being begun anew, so that the log holds
 * all that they write from now on (https://sqlite.org/walformat.html: a page that changes in the database was in the log
 * before, and a log is begun anew only when nobody reads the state before).
 */
export async function begin({ from, to }: { from: string; to: string }): Promise<string> {
  await shortenLog(from);
  const keeper = snapshot(from);
  try {
    await copyDatabase(from, to);
    await syncToDisk(to);
  } catch (error) {
    keeper.close();
    throw error;
  }
  const id = randomUUID();
  begun.set(id, keeper);
  return id;
}

/**
 * Puts the log beside the copy: whoever opens that first finds what a crash would have left, and all that was committed
 * in it. Nobody may write to the source meanwhile.
 */
export async function finish({ id, from, to }: { id: string; from: string; to: string }): Promise<void> {
  if (!begun.has(id)) throw new Error('the copy was given up: the data thread was started anew');
  try {
    // Not the database itself: closing it would drop this process's locks on it. Nobody locks a log.
    await copyFile(`${from}-wal`, `${to}-wal`);
  } finally {
    giveUp(id);
  }
}

export function giveUp(id: string): void {
  begun.get(id)?.close();
  begun.delete(id);
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
