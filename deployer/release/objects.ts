import { git, type GitCall } from './git.ts';
import type { Commit, LoggedCommit, GitObject } from './types.ts';

/** Reading objects by `git cat-file --batch`: names go in by stdin, so that none can be taken for an option. */

/** The objects of these names (`<id>`, `<id>^{commit}`, `<id>:<path>`), null for each that is not there. */
export async function readObjects(names: readonly string[], call: GitCall): Promise<(GitObject | null)[]> {
  if (names.length === 0) return [];
  const out = await git(['cat-file', '--batch'], { ...call, strict: true, input: `${names.join('\n')}\n` });
  const objects: (GitObject | null)[] = [];
  for (let at = 0; at < out.length;) {
    const end = out.indexOf(0x0a, at);
    const header = /^([0-9a-f]+) (\w+) (\d+)$/.exec(out.toString('utf8', at, end));
    const size = Number(header?.[3] ?? -1);
    at = end + 1;
    objects.push(
      header ? { id: header[1] ?? '', type: header[2] ?? '', data: out.subarray(at, at + size) } : null,
    );
    at += size + 1;
  }
  return objects;
}

/** Base names of the ordinary files in a tree object (`<mode> <name>\0<id>`, the id in binary). */
export function filesOf(tree: GitObject): string[] {
  const idBytes = tree.id.length / 2;
  const names: string[] = [];
  for (let at = 0; at < tree.data.length;) {
    const end = tree.data.indexOf(0, at);
    const [, mode = '', name = ''] = /^(\d+) (.+)$/s.exec(tree.data.toString('utf8', at, end)) ?? [];
    if (/^100\d{3}$/.test(mode)) names.push(name);
    at = end + 1 + idBytes;
  }
  return names;
}

/** A commit object's text; the format is git's own (gitformat-commit: headers, an empty line, the message). */
export function parseCommit(object: GitObject): Commit {
  const text = object.data.toString('utf8');
  const gap = text.indexOf('\n\n');
  const headers = (gap < 0 ? text : text.slice(0, gap)).split('\n');
  const values = (name: string): string[] =>
    headers.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  const message = gap < 0 ? '' : text.slice(gap + 2).trimStart();
  return {
    commit: object.id,
    tree: values('tree')[0] ?? '',
    subject: (message.split('\n')[0] ?? '').slice(0, 200),
    author: (values('author')[0] ?? '').replace(/ ?<[^>]*>.*$/, ''),
    parents: values('parent'),
  };
}

/** The same as `git log` tells it; null for one in another encoding than UTF-8. */
export function parseLogged(object: GitObject): LoggedCommit | null {
  const text = object.data.toString('utf8');
  const gap = text.indexOf('\n\n');
  if (gap < 0 || /^encoding /m.test(text.slice(0, gap))) return null;
  const { commit, parents } = parseCommit(object);
  return { commit, parents, message: text.slice(gap + 2) };
}
