import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dependencies } from './dependencies.ts';
import { removeTree } from './files.ts';
import type { Locks } from './locks.ts';
import { readManifest } from './manifest.ts';

/** Which trees were asked for, when (a counter), and which dependencies each uses. */
export type Uses = Map<string, { turn: number; keys: ReadonlySet<string> }>;

/** Removes what no kept tree needs; what was asked for after `before` stays. */
export async function pruneReleases(request: {
  home: string;
  keep: ReadonlySet<string>;
  before: number;
  uses: Uses;
  locks: Locks;
  dependencies: Dependencies;
}): Promise<void> {
  const { home, keep, before, uses, locks } = request;
  const unneeded = (tree: string): boolean => !keep.has(tree) && !((uses.get(tree)?.turn ?? 0) > before);
  const root = join(home, 'releases');

  for (const name of await readdir(root).catch(() => [])) {
    const tree = treeOf(name);
    if (locks.held(tree) || !(name.includes('.tmp-') || unneeded(tree))) continue;
    await locks.run(tree, async () => {
      if (!name.includes('.tmp-') && !unneeded(tree)) return;
      // The manifest first: without it a half-removed release is not taken for one.
      if (!name.endsWith('.json') && !name.includes('.tmp-'))
        await rm(join(root, `${name}.json`), { force: true });
      await removeTree(join(root, name));
      if (unneeded(tree)) uses.delete(tree);
    });
  }
  for (const name of await readdir(join(home, 'cache')).catch(() => [])) {
    if (/^[0-9a-f]{40,64}$/.test(name) && unneeded(name)) await removeTree(join(home, 'cache', name));
  }
  const needed = await neededKeys(root);
  const used = (key: string): boolean =>
    needed.has(key) || [...uses.values()].some(({ keys }) => keys.has(key));
  await request.dependencies.prune(used);
}

async function neededKeys(root: string): Promise<Set<string>> {
  const files = (await readdir(root).catch(() => [])).filter((name) => name.endsWith('.json'));
  const manifests = await Promise.all(files.map((name) => readManifest(join(root, name))));
  return new Set(manifests.flatMap((manifest) => (manifest?.dependencies ? [manifest.dependencies] : [])));
}

function treeOf(name: string): string {
  return /^[0-9a-f]+/.exec(name)?.[0] ?? name;
}
