import { realpathSync } from 'node:fs';
import { lstat, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYOUT } from '../install/layout.ts';
import { isObjectId } from '../release/names.ts';

/** The code that root installed; any other name is the tree of an upgrade. */
export const INSTALLED = 'installed';

/** Where upgrades are on this machine. */
export interface Upgrades {
  /** `<tree>/` of each, and `current`, a link to the one that is to run; without it what root installed runs. */
  directory: string;
  /** The link to what root installed. */
  installed: string;
}

export const UPGRADES: Upgrades = { directory: LAYOUT.upgrades, installed: LAYOUT.current };

/** Which code this process runs. */
export interface Running {
  /** Its root directory. */
  directory: string;
  /** By which it can be made the deployer again; null: no host's own code, as in a checkout. */
  name: string | null;
}

export function running(upgrades: Upgrades = UPGRADES): Running {
  const directory = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));
  if (dirname(directory) === real(upgrades.directory)) return { directory, name: basename(directory) };
  return { directory, name: directory === real(upgrades.installed) ? INSTALLED : null };
}

/** The code that the next start will run. */
export function chosen({ directory }: Upgrades): string {
  const release = real(join(directory, 'current'));
  return release === null ? INSTALLED : basename(release);
}

/** Since when it is to run; 1970 when that was noted by a clock that has been set back since. */
export async function chosenSince({ directory, installed }: Upgrades): Promise<Date> {
  const { mtime } = await lstat(join(directory, 'current')).catch(() => lstat(installed));
  return mtime > new Date() ? new Date(0) : mtime;
}

/** Makes it the code that the next start runs: one rename. */
export async function choose(upgrades: Upgrades, name: string): Promise<void> {
  const link = join(upgrades.directory, 'current');
  if (name === INSTALLED) return rm(link, { force: true });
  if (!isObjectId(name)) throw new TypeError('a release is named by the id of its tree');
  await mkdir(upgrades.directory, { recursive: true });
  await rm(`${link}.tmp`, { force: true });
  await symlink(name, `${link}.tmp`);
  await rename(`${link}.tmp`, link);
}

function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
