import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { copyDatabase } from '../../../backups/sqlite/copy.ts';
import { openForReading, type Connection } from '../../../backups/sqlite/open.ts';
import type { Difference } from '../types.ts';
import { compareWith } from './compare.ts';
import { isWriteAhead, snapshot } from './snapshot.ts';

/** A look into the past: each of `before` keeps the state of when the watch began, `now` sees what is committed. */
interface Watch {
  file: string;
  /** Where the earlier state had to be copied to. */
  copy: string | null;
  /** A connection each comparison: what it has read once it does not see change. */
  before: Connection[];
  now: Connection;
  version: unknown;
}

/** The start, and the verification. */
const MOST_COMPARISONS = 3;

const watches = new Map<string, Watch>();

/**
 * Begins to watch a database; returns the watch's id. In write-ahead mode it costs nothing until something is written;
 * in another one an open snapshot would keep everybody from writing, so that a copy is the earlier state.
 */
export async function watch(file: string): Promise<string> {
  const now = openForReading(file);
  const version = versionOf(now);
  const id = randomUUID();
  const copy = isWriteAhead(now) ? null : `${file}.before-${id}`;
  if (copy !== null) await copyDatabase(file, copy);
  const before = Array.from({ length: MOST_COMPARISONS }, () => snapshot(copy ?? file));
  watches.set(id, { file, copy, before, now, version });
  return id;
}

/**
 * What differs in `file` from the database that is watched as it was when the watch began. For that database itself
 * SQLite's own counter says at once that there was no commit since.
 */
export function watched({
  id,
  file,
  except,
}: {
  id: string;
  file: string;
  except: ReadonlySet<string>;
}): Difference[] {
  const { file: watchedFile, copy, before, now, version } = get(id);
  const isSame = file === watchedFile;
  if (isSame && versionOf(now) === version) return [];
  const database = before.pop();
  if (!database) throw new Error(`a watch compares at most ${MOST_COMPARISONS} times`);
  try {
    return compareWith(database, { file, isSame: isSame && copy === null }, except);
  } finally {
    database.close();
  }
}

export function unwatch(id: string): void {
  const { copy, before, now } = get(id);
  watches.delete(id);
  for (const database of [...before, now]) database.close();
  if (copy !== null) rmSync(copy, { force: true });
}

const versionOf = (database: Connection): unknown => database.pragma('data_version', { simple: true });

function get(id: string): Watch {
  const found = watches.get(id);
  if (!found) throw new Error('the watch has ended: the data thread was started anew');
  return found;
}
