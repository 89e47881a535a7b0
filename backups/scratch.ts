import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryName } from './names.ts';

/** Runs `use` with an empty directory that is gone afterwards; a crash leaves it to `sweepTemporaries`. */
export async function withScratch<T>(directory: string, use: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = join(directory, temporaryName('scratch'));
  await mkdir(scratch, { mode: 0o700 });
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
