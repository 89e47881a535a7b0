import { link, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { restoreFiles, type Which } from './restore.ts';
import { sweepTemporaries, temporaryName } from './names.ts';
import { syncToDisk } from './sqlite/copy.ts';

/** How many files came back, and how many were there already and stayed as they are. */
export interface Added {
  added: number;
  kept: number;
}

/**
 * Adds what a full backup holds to a directory that may be in use. What is there stays as it is: files that came since
 * are still named by what is live, and by the data that an undo returns to. A file appears whole or not at all.
 */
export async function addFiles(
  { toDirectory, ...which }: Which & { toDirectory: string },
  signal: AbortSignal,
): Promise<Added> {
  await mkdir(toDirectory, { recursive: true, mode: 0o700 });
  await sweepTemporaries(dirname(toDirectory));
  // Beside it, so that each file can be linked into place; a name with a dot is no environment's.
  const unpacked = join(dirname(toDirectory), `.${temporaryName(basename(toDirectory))}`);
  const count: Added = { added: 0, kept: 0 };
  try {
    await restoreFiles({ ...which, toDirectory: unpacked }, signal);
    await addBelow(unpacked, toDirectory, count);
    return count;
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

async function addBelow(from: string, to: string, count: Added): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      if (await isNew(() => mkdir(target))) await syncToDisk(to);
      await addBelow(source, target, count);
      continue;
    }
    if (entry.isFile()) await syncToDisk(source);
    const added = entry.isSymbolicLink()
      ? await isNew(async () => symlink(await readlink(source), target))
      : await isNew(() => link(source, target));
    count[added ? 'added' : 'kept'] += 1;
  }
  await syncToDisk(to);
}

/** False when something of that name is there. */
async function isNew(make: () => Promise<unknown>): Promise<boolean> {
  try {
    await make();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
