import { constants, createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Difference } from '../../data/types.ts';
import { codeOf, FailedError } from '../../problem.ts';

/** More is not copied. Bytes count where the file system does not share blocks between copies. */
export interface Most {
  files: number;
  bytes: number;
}

/** Bytes from which a file is not read in one piece. */
const LARGE = 8 * 1024 * 1024;

interface Copying {
  most: Most;
  signal: AbortSignal;
}

/**
 * Copies a directory that others write to: what is removed meanwhile is left out. Links stay links.
 * @returns by the name of each file below `to`, when it was written
 * @throws FailedError when there is more than is to be copied
 */
export async function copyTree(
  from: string,
  to: string,
  { most, signal }: Copying,
): Promise<Map<string, number>> {
  const copied = new Map<string, number>();
  let bytes = 0;
  let shares = true;

  async function copyOne(name: string): Promise<void> {
    if (copied.size >= most.files) throw new FailedError(`there are more than ${most.files} files`);
    const [source, target] = [join(from, name), join(to, name)];
    shares &&= await sharesBlocks(source, target);
    if (!shares) {
      const { size, mode } = await lstat(source);
      bytes += size;
      if (bytes > most.bytes)
        throw new FailedError(
          `there are more than ${most.bytes / 1024 / 1024} MB on a file system without copies that share blocks`,
        );
      // Read to its end: one that is cut off meanwhile keeps copyFile waiting for the rest for ever.
      await writeFile(target, size < LARGE ? await readFile(source) : createReadStream(source), { mode });
    }
    copied.set(name, (await lstat(target)).mtimeMs);
  }

  async function copyBelow(directory: string): Promise<void> {
    await mkdir(join(to, directory), { recursive: true, mode: 0o700 });
    const entries = await readdir(join(from, directory), { withFileTypes: true }).catch(unlessGone);
    for (const entry of entries ?? []) {
      signal.throwIfAborted();
      const name = join(directory, entry.name);
      if (entry.isDirectory()) await copyBelow(name);
      else if (entry.isFile()) await copyOne(name).catch(unlessGone);
      else if (entry.isSymbolicLink())
        await readlink(join(from, name)).then((target) => symlink(target, join(to, name)), unlessGone);
    }
  }

  await copyBelow('.');
  return copied;
}

/** Copies by sharing blocks; false: nothing was copied. */
async function sharesBlocks(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    return false;
  }
}

function unlessGone(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

/** Which files of a copy are not as they were: gone, or written to since. */
export async function damaged(directory: string, copied: ReadonlyMap<string, number>): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const [name, writtenAt] of copied) {
    const now = await lstat(join(directory, name)).catch(unlessGone);
    const what = now === null ? 'was removed' : now.mtimeMs === writtenAt ? null : 'was changed';
    if (what) found.push({ table: name, kind: 'file', sentence: `the file ${name} ${what}` });
  }
  return found;
}
