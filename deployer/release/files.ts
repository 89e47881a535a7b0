import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync } from 'node:fs';
import { chmod, lstat, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../problem.ts';
import { inTurns } from './turns.ts';
import { walk } from './walk.ts';

/** Everything below `directory` readable by all and writable by none; the directory itself last. */
export async function makeReadOnly(directory: string): Promise<void> {
  await inTurns(walk(directory), ({ item, path }) => {
    if (item.isDirectory()) chmodSync(path, 0o555);
    else if (item.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o555 : 0o444);
  });
  await chmod(directory, 0o555);
}

/** Removes a directory, a read-only one too; harmless when it is not there. */
export async function removeTree(directory: string): Promise<void> {
  await makeWritable(directory);
  await rm(directory, { recursive: true, force: true });
}

async function makeWritable(directory: string): Promise<void> {
  if (!(await lstat(directory).catch(() => null))?.isDirectory()) return;
  // What another user made there cannot be changed, only removed.
  await chmod(directory, 0o755).catch(unlessDenied);
  for (const item of await readdir(directory, { withFileTypes: true })) {
    if (item.isDirectory()) await makeWritable(join(directory, item.name));
  }
}

function unlessDenied(error: unknown): void {
  if (codeOf(error) !== 'EPERM') throw error;
}

/** Puts `source` in the place of `target`, whatever is there. A release is renamed before its top is read-only. */
export async function replaceDirectory(source: string, target: string): Promise<void> {
  const old = `${target}.tmp-${randomBytes(4).toString('hex')}`;
  const replaced = await rename(target, old).then(
    () => true,
    () => false,
  );
  await rename(source, target);
  await syncDirectory(dirname(target));
  if (replaced) await removeTree(old);
}

/** Replaces a file in one step that survives a power cut; what cannot be replaced is left as it is, and nothing beside it. */
export async function writeAtomically(file: string, text: string, mode = 0o644): Promise<void> {
  const temporary = `${file}.tmp-${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, text, { mode, flush: true });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(file));
}

/** Makes renames in it survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
