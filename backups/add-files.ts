import { link, lstat, mkdir, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AddedFile } from './remove-added.ts';
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
 * @param list a file that names what is added, on disk before anything is, so that it can be removed again; null: none
 */
export async function addFiles(
  { toDirectory, list, ...which }: Which & { toDirectory: string; list: string | null },
  signal: AbortSignal,
): Promise<Added> {
  await mkdir(toDirectory, { recursive: true, mode: 0o700 });
  await sweepTemporaries(dirname(toDirectory));
  // Beside it, so that each file can be linked into place; a name with a dot is no environment's.
  const unpacked = join(dirname(toDirectory), `.${temporaryName(basename(toDirectory))}`);
  const count: Added = { added: 0, kept: 0 };
  try {
    await restoreFiles({ ...which, toDirectory: unpacked }, signal);
    if (list !== null) {
      await writeFile(list, JSON.stringify(await missing(unpacked, toDirectory)), { mode: 0o600 });
      await syncToDisk(list);
    }
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

async function missing(from: string, to: string, below = ''): Promise<AddedFile[]> {
  const found: AddedFile[] = [];
  for (const entry of await readdir(join(from, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) found.push(...(await missing(from, to, name)));
    else if ((await lstat(join(to, name)).catch(() => null)) === null) {
      const { size, mtimeMs } = await lstat(join(from, name));
      const target = entry.isSymbolicLink() ? await readlink(join(from, name)) : null;
      found.push({ name, size, mtimeMs, target });
    }
  }
  return found;
}
