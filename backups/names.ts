import { readdir, rename, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const ID = /^(\d{4}-\d{2}-\d{2})_(\d{2})-(\d{2})-(\d{2})$/;

export const isBackupId = (name: string): boolean => ID.test(name) && !Number.isNaN(timeOf(name));

/** The name of a backup's directory: its time in UTC, to the second. */
export function idAt(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
}

/** Milliseconds since 1970. */
export const timeOf = (id: string): number => Date.parse(id.replace(ID, '$1T$2:$3:$4Z'));

/** A name taken in the same second is never overwritten: the next second is used. */
export const nextId = (id: string): string => idAt(timeOf(id) + 1000);

/** Milliseconds; names of the same second are given a little ahead. */
const SKEW = 60_000;

/** Names of the future were given by a clock that has been set back since, or now is wrong: they come last. */
export function newestFirst(ids: readonly string[], now: Date): string[] {
  const future = idAt(now.getTime() + SKEW);
  const sorted = ids.toSorted().toReversed();
  return [...sorted.filter((id) => id <= future), ...sorted.filter((id) => id > future)];
}

/** `<name>.tmp-<pid>-<start time of that process>-<number>`: what is left of it after a crash can be told from what is in use. */
const TEMPORARY = /\.tmp-(\d+)-(\d+)-\d+$/;
/** Each thread of the process counts from a number of its own. */
let lastTemporary = threadId * 1e9;

export function temporaryName(name: string): string {
  return `${name}.tmp-${process.pid}-${startTimeOf(process.pid) ?? 0}-${++lastTemporary}`;
}

/** Removes what crashed processes left in a directory of backups. */
export async function sweepTemporaries(directory: string): Promise<void> {
  for (const name of await entriesOf(directory)) {
    const [, pid, startTime] = TEMPORARY.exec(name) ?? [];
    if (pid === undefined || startTimeOf(Number(pid)) === startTime) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Removes a backup so that no part of it is ever seen under its name. */
export async function removeBackup(directory: string, id: string): Promise<void> {
  const doomed = join(directory, temporaryName(id));
  await rename(join(directory, id), doomed);
  await rm(doomed, { recursive: true, force: true });
}

/** Field 22 of /proc/PID/stat: a pid alone may have been given to another process since. */
function startTimeOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Names in a directory; none when it is not there. */
export async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
