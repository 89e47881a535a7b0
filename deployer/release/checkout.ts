import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FailedError } from '../problem.ts';
import { damaged, listTree, objectId, type SizedEntry, type TreeEntry } from './tree.ts';
import type { GitObject, ReadObject } from './types.ts';

/**
 * Writes the files of a tree into a new directory: the blobs themselves, each checked against its id first.
 * No index, work tree, filter or attribute takes part, so that nothing in the tree or in a configuration can change them.
 * Not synced to disk, for which a push would wait: a release is checked whenever it is used again, which finds what a power
 * cut tore, and what is live is on disk when its deployment ends.
 * @throws FailedError for a tree that may not be deployed, or when the mirror is damaged
 */
export async function checkOut(request: {
  repository: string;
  /** Reads the same repository. */
  read: ReadObject;
  tree: string;
  directory: string;
  signal: AbortSignal;
}): Promise<TreeEntry[]> {
  const { repository, read, tree, directory, signal } = request;
  const entries = await listTree(tree, { repository, signal });
  mkdirSync(directory);
  const folders = new Set(entries.map(({ path }) => dirname(path)));
  for (const folder of folders) mkdirSync(join(directory, folder), { recursive: true });
  for await (const [entry, blob] of blobs(entries, read)) {
    signal.throwIfAborted();
    writeEntry(directory, entry, blob);
  }
  return entries.map(({ mode, id, path }) => ({ mode, id, path }));
}

/** Bytes asked for ahead, so that git always has the next object to answer, and a large tree needs no large memory. */
const MOST_AHEAD = 32 * 1024 * 1024;

async function* blobs(
  entries: readonly SizedEntry[],
  read: ReadObject,
): AsyncGenerator<[SizedEntry, GitObject | null]> {
  const asked: Promise<GitObject | null>[] = [];
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    for (let next = entries[index + asked.length]; next; next = entries[index + asked.length]) {
      if (asked.length > 0 && bytes + next.size > MOST_AHEAD) break;
      bytes += next.size;
      const answer = read(next.id);
      // Whoever comes to it sees it.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    const blob = await asked.shift();
    bytes -= entry.size;
    yield [entry, blob ?? null];
  }
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
