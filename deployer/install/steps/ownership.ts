import { chmod, lstat } from 'node:fs/promises';
import type { Host } from '../host.ts';

export interface Ownership {
  owner: string;
  group: string;
  mode: number;
}

export function describe({ owner, group, mode }: Ownership): string {
  return `${owner}:${group} ${octal(mode)}`;
}

/** null: as wanted; else what it is. Users that are not there yet own nothing. */
export async function ownershipDiffers(host: Host, path: string, wanted: Ownership): Promise<string | null> {
  const { mode } = await lstat(path);
  const names = await host.ask(['stat', '--format=%U:%G', path]);
  if (names !== `${wanted.owner}:${wanted.group}`) return `it belongs to ${names}`;
  return (mode & 0o7777) === wanted.mode ? null : `its mode is ${octal(mode & 0o7777)}`;
}

export async function setOwnership(
  host: Host,
  path: string,
  { owner, group, mode }: Ownership,
): Promise<void> {
  await host.run(['chown', '--no-dereference', `${owner}:${group}`, path]);
  await chmod(path, mode);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
