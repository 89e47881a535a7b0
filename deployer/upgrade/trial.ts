import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { copyDatabase, syncToDisk } from '../../backups/sqlite/copy.ts';
import { codeOf } from '../problem.ts';
import { syncDirectory, writeAtomically } from '../release/files.ts';

/**
 * `<home>/upgrade/`: what is under way. One deployer writes it and another reads it, so that what is here may only be added to.
 */
const trial = z.object({
  /** What runs again when it fails: a name of `place.ts`. */
  from: z.string(),
  to: z.string(),
  /** The new deployer's identity, and the commit that brought it. */
  identity: z.string(),
  commit: z.string(),
  environment: z.string(),
  /** How often the new one was started. */
  starts: z.number().int(),
  /** Why the way back was begun; null: it was not. */
  back: z.string().nullable(),
});
export type Trial = z.infer<typeof trial>;

/** A deployer that did not take over: it is not tried again by itself. */
const failure = z.object({
  identity: z.string(),
  tree: z.string(),
  commit: z.string(),
  environment: z.string(),
  cause: z.string(),
  /** It is in the audit trail. */
  told: z.boolean(),
});
export type Failure = z.infer<typeof failure>;

export const upgradeDirectory = (home: string) => join(home, 'upgrade');
const trialFile = (home: string) => join(upgradeDirectory(home), 'trial.json');
/** See `served.ts`. */
export const servedFile = (home: string) => join(upgradeDirectory(home), 'served.json');
const failures = (home: string) => join(upgradeDirectory(home), 'failed');
const keptState = (home: string) => join(upgradeDirectory(home), 'state.sqlite');

export async function readTrial(home: string): Promise<Trial | null> {
  try {
    return trial.parse(JSON.parse(await readFile(trialFile(home), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export async function writeTrial(home: string, next: Trial): Promise<void> {
  await mkdir(upgradeDirectory(home), { recursive: true, mode: 0o700 });
  await writeAtomically(trialFile(home), JSON.stringify(next), 0o600);
}

/** From here on what runs is the deployer, whatever happens to it. */
export async function endTrial(home: string): Promise<void> {
  await rm(trialFile(home), { force: true });
  if (existsSync(upgradeDirectory(home))) await syncDirectory(upgradeDirectory(home));
  for (const file of [keptState(home), servedFile(home)]) await rm(file, { force: true });
}

/** Keeps the state as it is before the new deployer sees it; nobody else has it open. */
export async function keepState(home: string): Promise<void> {
  const state = join(home, 'state.sqlite');
  if (!existsSync(state)) return;
  const temporary = `${keptState(home)}.tmp`;
  for (const file of [temporary, keptState(home)]) await rm(file, { force: true });
  await copyDatabase(state, temporary);
  await syncToDisk(temporary);
  await rename(temporary, keptState(home));
  await syncDirectory(upgradeDirectory(home));
}

/** Puts the kept state in the place of the present one; may be repeated after a kill at any point. */
export async function restoreState(home: string): Promise<void> {
  if (!existsSync(keptState(home))) return;
  const state = join(home, 'state.sqlite');
  const temporary = `${state}.tmp`;
  await copyFile(keptState(home), temporary);
  await syncToDisk(temporary);
  // A log of the state that goes would be read into the one that comes.
  for (const suffix of ['-wal', '-shm']) await rm(`${state}${suffix}`, { force: true });
  await rename(temporary, state);
  await syncDirectory(home);
}

export async function readFailures(home: string): Promise<Failure[]> {
  const names = (await readdir(failures(home)).catch(() => [])).filter((name) => name.endsWith('.json'));
  const read = async (name: string) =>
    failure.parse(JSON.parse(await readFile(join(failures(home), name), 'utf8')));
  return Promise.all(names.map(read));
}

export async function writeFailure(home: string, next: Failure): Promise<void> {
  await mkdir(failures(home), { recursive: true, mode: 0o700 });
  await writeAtomically(join(failures(home), `${next.identity}.json`), JSON.stringify(next), 0o600);
}

/** A deployer has taken over: what did not is of the past. */
export async function forgetFailures(home: string): Promise<void> {
  await rm(failures(home), { recursive: true, force: true });
}
