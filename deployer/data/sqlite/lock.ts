import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { FailedError } from '../../problem.ts';
import type { WriteLock } from '../types.ts';

/** Long enough for the other side to get on, short against what a write costs. */
const RETRY_MS = 5;

/**
 * Takes the write lock of a live database without ever blocking the event loop. It is a transaction of a connection
 * of this process, so that it goes with the process however that ends.
 * @param environment for the error's sentence
 * @throws FailedError when somebody else keeps the lock, or the file cannot be opened
 */
export async function lockDatabase(file: string, environment: string, timeoutMs: number): Promise<WriteLock> {
  const holder = connect(file, environment);
  try {
    const deadline = performance.now() + timeoutMs;
    while (!tryLock(holder)) {
      if (performance.now() >= deadline) throw keptByAnother(environment, timeoutMs);
      await wait(RETRY_MS);
    }
    return watched(holder, connect(file, environment));
  } catch (error) {
    holder.close();
    throw error;
  }
}

function connect(file: string, environment: string): Database.Database {
  try {
    return new Database(file, { fileMustExist: true, timeout: 0 });
  } catch (error) {
    throw new FailedError(`cannot open the database of ${environment} at ${file}`, { cause: error });
  }
}

function tryLock(database: Database.Database): boolean {
  try {
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}

const keptByAnother = (environment: string, timeoutMs: number) =>
  new FailedError(
    `the database of ${environment} is locked by another process for more than ${timeoutMs / 1000} s`,
  );

/**
 * The holder's own transaction always sees the state in which it began. So a second connection looks whether
 * anybody has committed since, should the lock ever have been lost.
 */
function watched(holder: Database.Database, witness: Database.Database): WriteLock {
  const version = () => witness.pragma('data_version', { simple: true });
  const atStart = version();
  return {
    unchanged: () => holder.open && holder.inTransaction && version() === atStart,
    release: () => {
      if (!holder.open) return;
      witness.close();
      if (holder.inTransaction) holder.exec('ROLLBACK');
      holder.close();
    },
  };
}
