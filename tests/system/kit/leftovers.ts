import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { endCgroups, hierarchies } from './cgroup.ts';

const PREFIX = 'system-test-';

/** Names a machine after the process that is to remove it. */
export function machineName(): string {
  return `${PREFIX}${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
}

/** The one machine of a test run that has been installed and is off; its processes have the run's as their parent. */
export function installedMachine(run = process.ppid): string {
  return `${PREFIX}${run}-installed`;
}

export function machineDirectory(name: string): string {
  return join(tmpdir(), name);
}

/** Ends and removes what belongs to a machine: processes, mounts, directories. May be repeated. */
export async function removeMachine(name: string): Promise<void> {
  await endCgroups(name);
  const directory = machineDirectory(name);
  if (!existsSync(directory)) return;
  for (const mount of ['merged', '.']) {
    await execa('umount', ['--recursive', '--lazy', join(directory, mount)], { reject: false });
  }
  await rm(directory, { recursive: true, force: true });
}

/** Removes machines whose test run is gone: it was killed before it could. */
export async function sweep(): Promise<void> {
  const places = [tmpdir(), ...hierarchies()];
  const names = new Set(
    places.flatMap((place) => readdirSync(place)).filter((name) => name.startsWith(PREFIX)),
  );
  for (const name of names) {
    const owner = name.slice(PREFIX.length).split('-')[0];
    if (!existsSync(`/proc/${owner}`)) await removeMachine(name);
  }
}
