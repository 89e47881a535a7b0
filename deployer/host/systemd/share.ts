import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../problem.ts';

/** Bits of the group, for directories and for files. */
const BITS = { read: { directory: 0o050, file: 0o040 }, write: { directory: 0o070, file: 0o060 } } as const;

/**
 * Opens what is ours at a path, and all below, to its group: the application's, which is the deployer's first. What belongs
 * to others is left alone, and links are not followed.
 */
export async function share(path: string, how: 'read' | 'write'): Promise<void> {
  const found = await lstat(path).catch(unlessGone);
  if (!found || found.isSymbolicLink()) return;
  const bits = found.isDirectory() ? BITS[how].directory : BITS[how].file;
  const isOurs = found.uid === process.getuid?.();
  if (isOurs && (found.mode & bits) !== bits)
    await chmod(path, (found.mode & 0o777) | bits).catch(unlessGone);
  if (!found.isDirectory()) return;
  const names = await readdir(path).catch(unlessGone);
  for (const name of names ?? []) await share(join(path, name), how);
}

/** Somebody else removed it meanwhile. */
function unlessGone(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}
