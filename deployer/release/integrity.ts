import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { inTurns } from './turns.ts';
import { objectId, type TreeEntry } from './tree.ts';
import { walk } from './walk.ts';

/** How a directory differs from the tree that it was made from; one line for each path, none when it is the tree. */
export async function differences(
  directory: string,
  entries: readonly TreeEntry[],
  ignore: ReadonlySet<string> | 'anything more' = new Set(),
): Promise<string[]> {
  if (!lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) return ['its directory is missing'];
  const changed = displacedDirectories(directory, entries);
  await inTurns(entries, (entry) => {
    const line = difference(directory, entry);
    if (line) changed.push(line);
  });
  const more = ignore === 'anything more' ? [] : await additions(directory, entries, ignore);
  return [...changed, ...more];
}

/** Directories that are links now: what they hold could be changed elsewhere. */
function displacedDirectories(directory: string, entries: readonly TreeEntry[]): string[] {
  const folders = new Set(entries.map(({ path }) => dirname(path)));
  for (const folder of folders) folders.add(dirname(folder));
  return [...folders].flatMap((folder) => {
    const isLink = lstatSync(join(directory, folder), { throwIfNoEntry: false })?.isSymbolicLink();
    return isLink ? [`${folder} is of another type`] : [];
  });
}

function difference(directory: string, entry: TreeEntry): string | null {
  const file = join(directory, entry.path);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return `${entry.path} is missing`;
  const isLink = entry.mode === '120000';
  if (isLink ? !stat.isSymbolicLink() : !stat.isFile()) return `${entry.path} is of another type`;
  if (!isLink && (stat.mode & 0o100) !== (entry.mode === '100755' ? 0o100 : 0)) {
    return `${entry.path} has another mode`;
  }
  const data = isLink ? readlinkSync(file, 'buffer') : readFileSync(file);
  return objectId('blob', data, entry.id) === entry.id ? null : `${entry.path} was changed`;
}

/** Files that the tree does not have. Directories count only by what they hold, as in git. */
async function additions(
  directory: string,
  entries: readonly TreeEntry[],
  ignore: ReadonlySet<string>,
): Promise<string[]> {
  const known = new Set(entries.map((entry) => entry.path));
  const more: string[] = [];
  await inTurns(walk(directory), ({ item, path }) => {
    const name = relative(directory, path);
    if (!item.isDirectory() && !known.has(name) && !ignore.has(name)) more.push(`${name} is not in the tree`);
  });
  return more;
}
