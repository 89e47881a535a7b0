import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../problem.ts';
import type { ProcessHandle } from './types.ts';

/** The start time (field 22 of /proc/PID/stat) of a process that runs, null when there is none; a zombie counts as none. */
export function startTimeOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name, field 2, may itself hold spaces and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  return fields[18] ?? null;
}

export function isAlive({ pid, startTime }: ProcessHandle): boolean {
  return startTimeOf(pid) === startTime;
}

/** Processes of this user that were started with exactly this variable. */
export function startedWith(name: string, value: string): ProcessHandle[] {
  const entry = `${name}=${value}`;
  return readdirSync('/proc').flatMap((file) => {
    const pid = Number(file);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const environment = readOrNull(`/proc/${pid}/environ`);
    const startTime = environment?.split('\0').includes(entry) ? startTimeOf(pid) : null;
    return startTime === null ? [] : [{ pid, startTime }];
  });
}

const NOT_OURS = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** Gone, or another user's: either way none of ours. Where we can open no more files, nothing is known: nobody is dead. */
function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (NOT_OURS.has(codeOf(error) ?? '')) return null;
    throw error;
  }
}
