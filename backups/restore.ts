import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { extractArchive } from './archive.ts';
import { BackupError } from './error.ts';
import { decompressTo, measureFile } from './compress.ts';
import { DATABASE, FILES, readManifest, type Manifest } from './manifest.ts';
import { isBackupId, temporaryName } from './names.ts';
import { syncToDisk } from './sqlite/copy.ts';

/** A backup by its environment's directory and its id. */
export interface Which {
  directory: string;
  id: string;
}

/**
 * Restores the database of a backup to a file that does not exist yet, whole or not at all.
 * @throws when the backup is damaged or has no database, or something is at `toFile`
 */
export async function restoreDatabase({ toFile, ...which }: Which & { toFile: string }, signal: AbortSignal) {
  const source = await intactFile(which, DATABASE);
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    // A database put next to another's log is corrupt.
    if (existsSync(toFile + suffix))
      throw new BackupError(`${toFile}${suffix} exists; a backup is restored to a new file`);
  }
  const temporary = join(dirname(toFile), temporaryName(basename(toFile)));
  try {
    await decompressTo(source, temporary, signal);
    await syncToDisk(temporary);
    await rename(temporary, toFile);
    await syncToDisk(dirname(toFile));
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Unpacks the files of a full backup into a new directory, whole or not at all.
 * @throws when the backup is damaged or has no files, or something is at `toDirectory`
 */
export async function restoreFiles(
  { toDirectory, ...which }: Which & { toDirectory: string },
  signal: AbortSignal,
) {
  const source = await intactFile(which, FILES);
  if (existsSync(toDirectory))
    throw new BackupError(`${toDirectory} exists; files are restored to a new directory`);
  const temporary = join(dirname(toDirectory), temporaryName(basename(toDirectory)));
  try {
    await mkdir(temporary);
    await extractArchive(source, temporary, signal);
    await rename(temporary, toDirectory);
    await syncToDisk(dirname(toDirectory));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The path of a file of a backup that is as its manifest says. */
async function intactFile({ directory, id }: Which, name: typeof DATABASE | typeof FILES): Promise<string> {
  const path = pathOf({ directory, id });
  const manifest = await manifestOf(path, id);
  const stored = manifest.files[name];
  if (stored === undefined) throw new BackupError(`the backup ${id} has no ${name}`);
  const found = await measureFile(join(path, name));
  if (found.sha256 !== stored.sha256)
    throw new BackupError(`the backup ${id} is damaged: ${name} is not as it was written`);
  return join(path, name);
}

/** @throws when it is damaged, or another backup's */
export async function manifestOf(path: string, id: string): Promise<Manifest> {
  const manifest = await readManifest(path).catch((error: unknown) => damaged(id, error));
  if (manifest.id !== id) throw new BackupError(`the backup ${id} holds the manifest of ${manifest.id}`);
  return manifest;
}

function damaged(id: string, cause: unknown): never {
  throw new BackupError(`the backup ${id} is damaged: its manifest cannot be read`, { cause });
}

/** @throws when there is no such backup */
export function pathOf({ directory, id }: Which): string {
  const path = join(directory, id);
  if (isBackupId(id) && existsSync(path)) return path;
  throw new BackupError(`there is no backup ${JSON.stringify(id)} in ${directory}`);
}
