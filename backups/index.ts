import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Check } from './check.ts';
import type { Backup, CreateOptions } from './create.ts';
import { BackupError } from './error.ts';
import type { BackupJobs } from './jobs.ts';
import type { Added } from './add-files.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { entriesOf, isBackupId, newestFirst, removeBackup, sweepTemporaries } from './names.ts';
import { manifestOf, pathOf, type Which } from './restore.ts';
import { expendable, expendableDropped, type Retention } from './retention.ts';
import { withScratch } from './scratch.ts';
import { createThreads } from './thread/client.ts';

export { removeAdded } from './remove-added.ts';
export { BackupError, removeBackup, sweepTemporaries };
export type { Backup, Check, CreateOptions, Manifest, Which };

/** Reading and writing whole databases happens in a thread for each environment, which the first call starts. */
const threads = createThreads<BackupJobs>(
  new URL('worker.ts', import.meta.url),
  (sentence) => new BackupError(sentence),
);

/** Ends the threads that were ever started. */
export const closeBackupThreads = (): Promise<void> => threads.close();

/** Makes a backup; it exists only once it has been verified. @throws BackupError, the signal's reason */
export function createBackup({
  signal,
  ...options
}: CreateOptions & { signal: AbortSignal }): Promise<Backup> {
  return threads.of(options.directory).run('create', options, signal);
}

/** Whether a backup can be restored to what it was made from. @throws BackupError when there is no such backup */
export async function verifyBackup(
  which: Which,
  signal?: AbortSignal,
): Promise<{ success: boolean; checks: Check[] }> {
  const checks = await threads.of(which.directory).run('verify', which, signal);
  return { success: checks.every(({ success }) => success), checks };
}

/** What a backup says of itself. @throws BackupError when it is not there or its manifest is damaged */
export const describeBackup = ({ directory, id }: Which): Promise<Manifest> =>
  manifestOf(pathOf({ directory, id }), id);

/** Restores the database of a backup to a new file. @throws BackupError, the signal's reason */
export const restoreDatabase = (options: Which & { toFile: string }, signal?: AbortSignal): Promise<void> =>
  threads.of(options.directory).run('restoreDatabase', options, signal);

/** Restores the files of a full backup to a new directory. @throws BackupError, the signal's reason */
export const restoreFiles = (options: Which & { toDirectory: string }, signal?: AbortSignal): Promise<void> =>
  threads.of(options.directory).run('restoreFiles', options, signal);

/** Adds the files of a full backup to a directory that may be in use; none that is there is touched. @throws BackupError */
export const addFiles = (
  options: Which & { toDirectory: string; list: string | null },
  signal?: AbortSignal,
): Promise<Added> => threads.of(options.directory).run('addFiles', options, signal);

/** Writes the database of a backup as SQL text that the stock `sqlite3` reads, and ends the stream. @throws BackupError */
export async function exportSql(which: Which, stream: NodeJS.WritableStream): Promise<void> {
  pathOf(which);
  return withScratch(which.directory, async (scratch) => {
    const toFile = join(scratch, 'export.sql');
    await threads.of(which.directory).run('exportSql', { ...which, scratch, toFile });
    await pipeline(createReadStream(toFile), stream);
  });
}

/** An environment's backups, newest first. `unreadable`: ids of those whose manifest is damaged; a person has to look. */
export async function listBackups(
  directory: string,
  now = new Date(),
): Promise<{ backups: Backup[]; unreadable: string[] }> {
  const all = await inventory(directory, now);
  return {
    backups: all.flatMap(({ backup }) => backup ?? []),
    unreadable: all.filter(({ backup }) => backup === null).map(({ id }) => id),
  };
}

async function inventory(directory: string, now: Date): Promise<{ id: string; backup: Backup | null }[]> {
  const ids = newestFirst((await entriesOf(directory)).filter(isBackupId), now);
  return Promise.all(ids.map(async (id) => ({ id, backup: await read(directory, id) })));
}

async function read(directory: string, id: string): Promise<Backup | null> {
  const manifest = await readManifest(join(directory, id)).catch(() => null);
  return manifest && { id, kind: manifest.kind, verifiedAt: manifest.verifiedAt };
}

/**
 * Removes what the rules of retention let go, and what crashed processes left. What a restore dropped was promised to be
 * there: it outlives a backup that this very restore has made the oldest. One backup that verifies now always
 * stays: when none of those to keep does, the newest good one among the others. Returns the ids removed.
 */
export async function pruneBackups(options: Retention & { directory: string }): Promise<string[]> {
  const { directory, now, agedAt = now } = options;
  await sweepTemporaries(directory);
  const removed = await removeExpendable(options);
  for (const name of expendableDropped(await entriesOf(directory), agedAt))
    await rm(join(directory, name), { force: true });
  return removed;
}

async function removeExpendable(options: Retention & { directory: string }): Promise<string[]> {
  const { directory } = options;
  const { backups } = await listBackups(directory, options.now);
  const doomed = expendable(backups, options);
  if (doomed.length === 0) return [];
  const kept = backups.filter((backup) => !doomed.includes(backup));
  const good = await firstGood(directory, [...kept, ...doomed]);
  // Without a single good one even a damaged one may be worth a person's look.
  if (good === null) return [];
  const removed = doomed.filter(({ id }) => id !== good).map(({ id }) => id);
  for (const id of removed) await removeBackup(directory, id);
  return removed;
}

async function firstGood(directory: string, candidates: Backup[]): Promise<string | null> {
  for (const { id } of candidates) {
    if ((await verifyBackup({ directory, id })).success) return id;
  }
  return null;
}
