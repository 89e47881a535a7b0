import { constants } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Generation, Generations } from '../../data/types.ts';

/** A room of its own: nothing that is live looks into it, and what a dead daemon left there is removed at the start. */
const roomOf = (home: string) => join(home, 'scratch', '.rehearsal');

/**
 * A copy of an environment's files, for a release that nobody has merged yet: what it does to them must not be seen.
 * Costs next to nothing where the file system shares blocks.
 * @returns the directory, and what removes it
 */
export async function copyFiles(
  home: string,
  environment: string,
  signal: AbortSignal,
): Promise<{ files: string; remove: () => Promise<void> }> {
  const files = join(roomOf(home), environment);
  const remove = () => rm(files, { recursive: true, force: true });
  await remove();
  await mkdir(dirname(files), { recursive: true, mode: 0o700 });
  const from = join(home, 'files', environment);
  await mkdir(from, { recursive: true, mode: 0o700 });
  try {
    await cp(from, files, {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
      verbatimSymlinks: true,
      filter: () => {
        signal.throwIfAborted();
        return true;
      },
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { files, remove };
}

/** What a rehearsal left whose daemon died. */
export const clearFiles = (home: string) => rm(roomOf(home), { recursive: true, force: true });

/** Databases whose release sees those files instead of the live ones. */
export function withFiles(generations: Generations, files: string): Generations {
  const moved = (generation: Generation) => ({
    ...generation,
    env: { ...generation.env, FILES_DIR: files },
  });
  return {
    ...generations,
    create: async () => moved(await generations.create()),
    copy: async (from) => moved(await generations.copy(from)),
  };
}
