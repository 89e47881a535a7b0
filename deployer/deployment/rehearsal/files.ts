import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Generation, Generations } from '../../data/types.ts';
import { oneLine } from '../../problem.ts';
import { filesOf } from '../environment-of.ts';
import type { TrialFiles, Work } from '../work.ts';
import { copyTree, damaged, type Most } from './copy-tree.ts';

/** A room of its own: nothing that is live looks into it, and what a dead daemon left there is removed at the start. */
const roomOf = (home: string) => join(home, 'scratch', '.rehearsal');

/** What nobody waits for who waits for the copy of a small database. */
const CHEAP: Most = { files: 2000, bytes: 64 * 1024 * 1024 };
const EVERYTHING: Most = { files: Infinity, bytes: Infinity };

/** A copy of all of an environment's files. Costs next to nothing where the file system shares blocks. */
export async function copyFiles(
  { tools, record, config, signal }: Work,
  most: Most = EVERYTHING,
): Promise<TrialFiles> {
  const directory = join(roomOf(tools.home), record.id);
  const remove = () => rm(directory, { recursive: true, force: true });
  await remove();
  try {
    const copied = await copyTree(filesOf(tools.home, config.name), directory, { most, signal });
    return { directory, remove, damaged: () => damaged(directory, copied) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * A copy where it can be had cheaply. Else null: an instance that is only tried then sees the live files, on a systemd
 * host without being able to write to them.
 */
export async function copyCheaply(work: Work): Promise<TrialFiles | null> {
  try {
    return await copyFiles(work, CHEAP);
  } catch (error) {
    work.signal.throwIfAborted();
    work.log(`the rehearsal sees the live files, not a copy: ${oneLine(error)}`);
    return null;
  }
}

/** The files of a backup, too: beside a copy of what is live, or else by themselves. */
export async function addTrialFiles(work: Work, backup: string): Promise<void> {
  const { tools, config, record, signal } = work;
  const directory = work.files?.directory ?? join(roomOf(tools.home), record.id);
  const remove = () => rm(directory, { recursive: true, force: true });
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  await tools.backups.addFiles({ environment: config.name, backup, to: { directory }, signal });
  work.files ??= { directory, remove, damaged: () => Promise.resolve([]) };
}

/** What a rehearsal left whose daemon died. */
export const clearFiles = (home: string) => rm(roomOf(home), { recursive: true, force: true });

/** A database whose release sees those files instead of the live ones. */
export const withFiles = (generation: Generation, { directory }: TrialFiles): Generation => ({
  ...generation,
  env: { ...generation.env, FILES_DIR: directory },
});

/** The same for each that is made. */
export function allWithFiles(generations: Generations, files: TrialFiles): Generations {
  return {
    ...generations,
    create: async () => withFiles(await generations.create(), files),
    copy: async (from) => withFiles(await generations.copy(from), files),
    draft: async (from) => withFiles(await generations.draft(from), files),
    fill: async (fill) => withFiles(await generations.fill(fill), files),
  };
}
