import { constants } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { measureFile } from './compress.ts';
import type { StoredFile } from './manifest.ts';
import type { Fingerprint } from './sqlite/fingerprint.ts';
import { syncToDisk } from './sqlite/copy.ts';

/** The database of a backup, as it was written. */
export interface WrittenDatabase {
  tables: Fingerprint;
  stored: StoredFile;
  /** SHA-256 of what was compressed. */
  plain: string;
}

interface Remembered extends WrittenDatabase {
  file: string;
  /** What the live database looked like before it was copied. */
  stamp: string;
}

/** The newest backup of each directory that this thread has made. */
const newest = new Map<string, Remembered>();

export const remember = (directory: string, made: Remembered): void => void newest.set(directory, made);

/** Size and time of a database and its log: only a hint that nothing was written, but one that costs nothing. */
export async function stampOf(databaseFile: string): Promise<string> {
  const files = [databaseFile, `${databaseFile}-wal`].map((file) => stat(file).catch(() => null));
  return (await Promise.all(files)).map((found) => `${found?.size} ${found?.mtimeMs}`).join(', ');
}

/**
 * Where a database is byte for byte what the newest backup holds, as between two pushes to a site that nobody visits: its
 * compressed file, copied to `to`, and what is known of its rows. The copy is restored and compared like any other.
 * @returns null: it is another, or the earlier file is not what it was
 */
export async function sameAsNewest(
  directory: string,
  { copy, stamp, to }: { copy: string; stamp: string; to: string },
): Promise<WrittenDatabase | null> {
  const last = newest.get(directory);
  if (last?.stamp !== stamp || (await measureFile(copy)).sha256 !== last.plain) return null;
  try {
    await copyFile(last.file, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await syncToDisk(to);
    if ((await measureFile(to)).sha256 === last.stored.sha256) return last;
  } catch {
    // It may have been pruned. Made anew, it says for itself what is wrong.
  }
  await rm(to, { force: true });
  return null;
}
