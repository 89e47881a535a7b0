import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../deployer/problem.ts';
import { waitFor } from '../../kit/daemon.ts';

const ROOT = '/sys/fs/cgroup';

/** The controllers by which units are limited that this machine has in hierarchies of their own, as hybrid hosts do. */
export function ownControllers(): string[] {
  return ['memory', 'pids'].filter((controller) => existsSync(join(ROOT, controller, 'cgroup.procs')));
}

/**
 * Where cgroups of machines are made: in the unified hierarchy, and on hybrid hosts in systemd's named one and in those of
 * the controllers; there below our own, so that what limits us limits the machines.
 */
export function hierarchies(): string[] {
  const known = [ROOT, join(ROOT, 'unified'), join(ROOT, 'systemd')];
  const limiting = ownControllers().map((controller) => join(ROOT, controller, ownGroup(controller)));
  return [...known, ...limiting].filter((directory) => existsSync(join(directory, 'cgroup.procs')));
}

/** proc_pid_cgroup(5). */
function ownGroup(controller: string): string {
  const line = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm');
  return line.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
}

/** A cgroup for one machine: two systemds in the same one would end each other's services. Returns its directories. */
export function createCgroups(name: string): string[] {
  return hierarchies().map((root) => {
    const directory = join(root, name);
    mkdirSync(directory, { recursive: true });
    return directory;
  });
}

/** Kills every process of the cgroup, and removes it with all below. */
export async function endCgroups(name: string): Promise<void> {
  for (const root of hierarchies()) {
    const directory = join(root, name);
    await waitFor(`the processes of ${directory} to end`, async () => {
      for (const pid of processes(directory)) kill(pid);
      return processes(directory).length === 0 || undefined;
    });
    await waitFor(`${directory} to be gone`, async () => remove(directory) || undefined);
  }
}

/** Those that a process has to enter, as argv of a shell script that then becomes the program given to it. */
export function enterCgroups(directories: readonly string[]): string[] {
  const script =
    'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"';
  return ['sh', '-c', script, 'sh', String(directories.length), ...directories];
}

function processes(directory: string): number[] {
  return tree(directory).flatMap((each) =>
    readFileSync(join(each, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
  );
}

/** The directory and all below, parents first. */
function tree(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [directory, ...below.flatMap(({ name }) => tree(join(directory, name)))];
}

/** Busy as long as a process that was killed there has not been collected. */
function remove(directory: string): boolean {
  try {
    for (const below of tree(directory).toReversed()) rmdirSync(below);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EBUSY') return false;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}
