import { createHash } from 'node:crypto';
import { FailedError } from '../problem.ts';
import { git, type GitCall } from './git.ts';
import { readObjects } from './objects.ts';

/** What a tree holds, and what may not be in one that is deployed. */

type Mode = '100644' | '100755' | '120000';

/** A file or symbolic link of a tree; `path` is relative, with `/`. */
export interface TreeEntry {
  mode: Mode;
  id: string;
  path: string;
}

export interface SizedEntry extends TreeEntry {
  /** Bytes. */
  size: number;
}

/**
 * All files and links of a tree, in git's order.
 * @throws FailedError for a tree that reaches out of itself: submodules, `.git` and the like, links that lead outside
 */
export async function listTree(tree: string, call: GitCall): Promise<SizedEntry[]> {
  const out = await git(['ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', tree], call);
  const entries = decode(out).split('\0').filter(Boolean).map(parseRow);
  for (const { path } of entries) refuseGitNames(path);
  const links = entries.filter((entry) => entry.mode === '120000');
  const targets = await readObjects(
    links.map((link) => link.id),
    call,
  );
  refuseEscapes(
    new Map(links.map((link, index) => [link.path, decode(targets[index]?.data ?? Buffer.of())])),
  );
  return entries;
}

/** The object id of bytes as git counts it; SHA-1 or SHA-256 as the repository's other ids are. */
export function objectId(type: 'blob' | 'tree', data: Buffer, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`${type} ${data.length}\0`).update(data).digest('hex');
}

/** The id of the tree that these entries make: proof that a list is complete and true. */
export function treeId(entries: readonly TreeEntry[], like: string): string {
  const rows: { name: string; row: Buffer }[] = [];
  const folders = new Map<string, TreeEntry[]>();
  for (const entry of entries) {
    const slash = entry.path.indexOf('/');
    if (slash < 0) rows.push({ name: entry.path, row: treeRow(entry.mode, entry.path, entry.id) });
    else {
      const folder = entry.path.slice(0, slash);
      const inside = folders.get(folder) ?? [];
      folders.set(folder, inside);
      inside.push({ ...entry, path: entry.path.slice(slash + 1) });
    }
  }
  for (const [name, inside] of folders) {
    rows.push({ name: `${name}/`, row: treeRow('40000', name, treeId(inside, like)) });
  }
  rows.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return objectId('tree', Buffer.concat(rows.map(({ row }) => row)), like);
}

function treeRow(mode: string, name: string, id: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FailedError('the tree holds a file name that is not UTF-8: rename it');
  }
}

function parseRow(row: string): SizedEntry {
  const match = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-|BAD)\t(.+)$/s.exec(row);
  const [, mode = '', type = '', id = '', size = '', path = ''] = match ?? [];
  if (type === 'commit')
    throw new FailedError(`${path} is a submodule: submodules are not deployed, commit its files`);
  if (size === 'BAD') throw new FailedError(damaged(path));
  if (mode === '120000') return { mode, id, path, size: Number(size) };
  return { mode: mode === '100755' ? mode : '100644', id, path, size: Number(size) };
}

/** What to do when the mirror has not what its own tree names. */
export function damaged(path: string): string {
  return `${path} is damaged in the mirror: remove mirror.git from the deployer's home, it is made anew`;
}

/** `.git` in any spelling that some file system takes for it. */
function refuseGitNames(path: string): void {
  for (const name of path.split('/')) {
    // Characters that HFS+ ignores in names.
    const plain = name.replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '');
    if (/^(?:\.git|git~\d+)[ .]*(?::.*)?$/i.test(plain) || ['', '.', '..'].includes(plain)) {
      throw new FailedError(`${JSON.stringify(path)} may not be in a tree that is deployed: remove it`);
    }
  }
}

/** Follows every link as the kernel would, through other links; what they lead to need not exist. */
function refuseEscapes(links: ReadonlyMap<string, string>): void {
  for (const [path, target] of links) {
    if (!staysInside(path, links)) {
      throw new FailedError(`${path} is a link out of the tree (to ${JSON.stringify(target)}): remove it`);
    }
  }
}

function staysInside(link: string, links: ReadonlyMap<string, string>): boolean {
  const at: string[] = [];
  const ahead = link.split('/');
  for (let followed = 0; ahead.length > 0;) {
    const part = ahead.shift() ?? '';
    if (part === '' || part === '.') continue;
    // What `node_modules` will be is decided here, not in the tree.
    if (part === '..' && (at.length === 0 || at.join('/') === 'node_modules')) return false;
    if (part === '..') at.pop();
    else at.push(part);
    const target = links.get(at.join('/'));
    if (target === undefined || part === '..') continue;
    followed += 1;
    if (target.startsWith('/') || followed > 40) return false;
    at.pop();
    ahead.unshift(...target.split('/'));
  }
  return true;
}
