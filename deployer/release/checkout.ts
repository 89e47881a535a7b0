import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FailedError } from '../problem.ts';
import { readObjects, type GitObject } from './objects.ts';
import { damaged, listTree, objectId, type SizedEntry, type TreeEntry } from './tree.ts';
import { inTurns } from './turns.ts';

/**
 * Writes the files of a tree into a new directory: the blobs themselves, each checked against its id first.
 * No index, work tree, filter or attribute takes part, so that nothing in the tree or in a configuration can change them.
 * Not synced to disk: a release is checked whenever it is used again, which finds what a power cut tore.
 * @throws FailedError for a tree that may not be deployed, or when the mirror is damaged
 */
export async function checkOut(request: {
  repository: string;
  tree: string;
  directory: string;
  signal: AbortSignal;
}): Promise<TreeEntry[]> {
  const { repository, tree, directory, signal } = request;
  const entries = await listTree(tree, { repository, signal });
  mkdirSync(directory);
  const folders = new Set(entries.map(({ path }) => dirname(path)));
  for (const folder of folders) mkdirSync(join(directory, folder), { recursive: true });
  for (const batch of batches(entries)) {
    const blobs = await readObjects(
      batch.map(({ id }) => id),
      { repository, signal },
    );
    await inTurns(batch.entries(), ([index, entry]) => writeEntry(directory, entry, blobs[index] ?? null));
  }
  return entries.map(({ mode, id, path }) => ({ mode, id, path }));
}

/** Bytes read at once, so that a large tree needs no large memory. */
const MOST_AT_ONCE = 32 * 1024 * 1024;

function* batches(entries: readonly SizedEntry[]): Generator<SizedEntry[]> {
  let batch: SizedEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length > 0 && bytes + entry.size > MOST_AT_ONCE) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += entry.size;
  }
  yield batch;
}

function writeEntry(directory: string, { mode, id, path }: TreeEntry, blob: GitObject | null): void {
  if (!blob || objectId('blob', blob.data, id) !== id) {
    throw new FailedError(damaged(path));
  }
  const file = join(directory, path);
  if (mode === '120000') symlinkSync(blob.data, file);
  else writeFileSync(file, blob.data, { flag: 'wx' });
  if (mode === '100755') chmodSync(file, 0o755);
}
