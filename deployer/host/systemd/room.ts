import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { FailedError } from '../../problem.ts';
import { commandVariable, environmentFile } from './environment-file.ts';
import { replaceFile } from './replace-file.ts';
import { share } from './share.ts';

/**
 * What a unit of ours is to run, `<home>/units/<instance>/`. The unit files in `environments/systemd` are root's and fixed;
 * they read `environment` there, and show of the home only what `reads/` and `writes/` link to, at its own path.
 */
export interface Room {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  reads: readonly string[];
  writes: readonly string[];
}

/** As many links as the unit files name. */
const MOST_LINKS = 6;

export const roomOf = (home: string, instance: string): string => join(home, 'units', instance);

/** Writes it anew. What the unit is to write, and the single files that it is to read, are opened to the application's group. */
export async function furnish(home: string, instance: string, room: Room): Promise<void> {
  const directory = roomOf(home, instance);
  rmSync(directory, { recursive: true, force: true });
  // It is seen from inside by another user; what it holds is that user's own.
  for (const path of [directory, join(directory, 'reads'), join(directory, 'writes')]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
  }
  const writes = hidden(home, room.writes);
  const reads = hidden(home, room.reads).filter((path) => !writes.includes(path) && !isOpen(home, path));
  for (const path of writes) await mkdir(path, { recursive: true });
  await Promise.all([
    ...writes.map((path) => share(path, 'write')),
    ...reads.map((path) => share(path, 'read')),
  ]);
  link(join(directory, 'writes'), writes);
  link(join(directory, 'reads'), reads);
  const variables = { ...room.env, UNIT_COMMAND: commandVariable(room.argv), UNIT_DIRECTORY: room.cwd };
  replaceFile(join(directory, 'environment'), environmentFile(variables));
}

export function clearRoom(home: string, instance: string): void {
  rmSync(roomOf(home, instance), { recursive: true, force: true });
}

/** Absolute, and once; what every unit sees anyway needs no link. */
function hidden(home: string, paths: readonly string[]): string[] {
  const roots = [resolve(home) + sep, `/run/datatracker${sep}`];
  return [...new Set(paths.map((path) => resolve(path)))].filter((path) =>
    roots.some((root) => path.startsWith(root)),
  );
}

/** Releases and dependencies may be read by all. */
function isOpen(home: string, path: string): boolean {
  return ['releases', 'dependencies'].some((name) => path.startsWith(join(resolve(home), name) + sep));
}

function link(directory: string, paths: readonly string[]): void {
  if (paths.length > MOST_LINKS)
    throw new FailedError(`${dirname(directory)} has room for ${MOST_LINKS} links, not for ${paths.length}`);
  for (const [index, path] of paths.entries()) symlinkSync(path, join(directory, String(index)));
}
