import { cp, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes what another user left in a directory of ours our own, by copying: who is not root can give nothing away and take
 * nothing. Nobody may be writing there any more. Links are copied as links; what is neither file, directory nor link throws.
 */
export async function takeOver(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await lstat(path);
    if (found.uid !== process.getuid?.()) await replaceByCopy(path);
    else if (found.isDirectory()) await takeOver(path);
  }
}

async function replaceByCopy(path: string): Promise<void> {
  const copy = `${path}.tmp-own`;
  await rm(copy, { recursive: true, force: true });
  await cp(path, copy, { recursive: true, verbatimSymlinks: true, errorOnExist: true, force: false });
  await rm(path, { recursive: true });
  await rename(copy, path);
}
