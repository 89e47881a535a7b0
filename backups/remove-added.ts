import { lstat, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A file that a restore puts back, by which it is known again: what a visitor has written since is another one. */
const addedFile = z.object({
  name: z.string(),
  size: z.number(),
  mtimeMs: z.number(),
  /** Where a symbolic link leads; null: it is none. */
  target: z.string().nullable(),
});
export type AddedFile = z.output<typeof addedFile>;

/** Removes what a restore has put back, as its list names it, unless it is another file by now; then the list. */
export async function removeAdded(list: string, directory: string): Promise<void> {
  for (const file of z.array(addedFile).parse(JSON.parse(await readFile(list, 'utf8'))))
    if (await isSame(join(directory, file.name), file)) await rm(join(directory, file.name));
  await rm(list);
}

async function isSame(path: string, { size, mtimeMs, target }: AddedFile): Promise<boolean> {
  const now = await lstat(path).catch(() => null);
  if (now === null) return false;
  if (target !== null) return now.isSymbolicLink() && (await readlink(path)) === target;
  return now.isFile() && now.size === size && now.mtimeMs === mtimeMs;
}
