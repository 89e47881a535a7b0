import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inTurns } from './turns.ts';
import { objectId, type TreeEntry } from './tree.ts';
import { walk } from './walk.ts';

/**
 * What git would have of a directory, its dependencies (`node_modules`) left out; with `treeId` the proof of what it holds.
 * @param like an object id of the kind that is wanted: SHA-1 or SHA-256
 */
export async function entriesIn(directory: string, like: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await inTurns(files(directory), (path) => {
    const stat = lstatSync(path);
    const data = stat.isSymbolicLink() ? readlinkSync(path, 'buffer') : readFileSync(path);
    const mode = stat.isSymbolicLink() ? '120000' : stat.mode & 0o100 ? '100755' : '100644';
    entries.push({ mode, id: objectId('blob', data, like), path: relative(directory, path) });
  });
  return entries;
}

function* files(directory: string): Generator<string> {
  for (const item of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, item.name);
    if (item.name === 'node_modules') continue;
    if (!item.isDirectory()) yield path;
    else for (const below of walk(path)) if (!below.item.isDirectory()) yield below.path;
  }
}
