import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { objectId, type TreeEntry } from './tree.ts';

/** How a directory differs from the tree that it was made from; one line for each path, none when it is the tree. */
export async function differences(
  directory: string,
  entries: readonly TreeEntry[],
  ignore: ReadonlySet<string> | 'anything more' = new Set(),
): Promise<string[]> {
  const changed = await inParallel(entries, async (entry) => await difference(directory, entry));
  const more = ignore === 'anything more' ? [] : await additions(directory, entries, ignore);
  return [...changed.filter((line) => line !== null), ...more];
}

async function difference(directory: string, entry: TreeEntry): Promise<string | null> {
  const file = join(directory, entry.path);
  const stat = await lstat(file).catch(() => null);
  if (!stat) return `${entry.path} is missing`;
  const isLink = entry.mode === '120000';
  if (isLink ? !stat.isSymbolicLink() : !stat.isFile()) return `${entry.path} is of another type`;
  if (!isLink && (stat.mode & 0o100) !== (entry.mode === '100755' ? 0o100 : 0)) {
    return `${entry.path} has another mode`;
  }
  const data = isLink ? await readlink(file, 'buffer') : await readFile(file);
  return objectId('blob', data, entry.id) === entry.id ? null : `${entry.path} was changed`;
}

/** Files that the tree does not have. Directories count only by what they hold, as in git. */
async function additions(
  directory: string,
  entries: readonly TreeEntry[],
  ignore: ReadonlySet<string>,
): Promise<string[]> {
  const known = new Set(entries.map((entry) => entry.path));
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.flatMap((item) => {
    const path = relative(directory, join(item.parentPath, item.name));
    return item.isDirectory() || known.has(path) || ignore.has(path) ? [] : [`${path} is not in the tree`];
  });
}

async function inParallel<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return results;
}
