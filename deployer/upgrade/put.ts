import { existsSync, realpathSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFileSystem } from '../host/sync.ts';
import { FailedError } from '../problem.ts';
import { entriesIn } from '../release/entries.ts';
import { makeReadOnly, removeTree, syncDirectory } from '../release/files.ts';
import { isObjectId } from '../release/names.ts';
import { treeId } from '../release/tree.ts';
import { choose, chosen, INSTALLED, type Upgrades } from './place.ts';

/**
 * Makes a release of the home the deployer's code: copied out of the deployer's reach, proven to be the tree that its name
 * says, then one rename. One that is there already is only chosen again. Runs as a user that may write the upgrades and
 * nothing else (`environments/systemd/deployer-upgrade@.service`).
 * @param name the tree, or INSTALLED to go back to what root installed
 * @throws FailedError when the release is not that tree
 */
export async function put(name: string, place: { home: string; upgrades: Upgrades }): Promise<void> {
  const { home, upgrades } = place;
  if (name !== INSTALLED && !isObjectId(name))
    throw new FailedError(`${JSON.stringify(name)} is not the id of a tree`);
  const before = chosen(upgrades);
  if (name !== INSTALLED && !existsSync(join(upgrades.directory, name))) await bring(name, home, upgrades);
  await choose(upgrades, name);
  await syncDirectory(upgrades.directory);
  await prune(upgrades, new Set([name, before, 'current']));
}

async function bring(tree: string, home: string, { directory }: Upgrades): Promise<void> {
  const release = join(directory, tree);
  const temporary = `${release}.tmp`;
  const source = join(home, 'releases', tree);
  if (!existsSync(source)) throw new FailedError(`there is no release ${tree}`);
  await mkdir(directory, { recursive: true });
  await removeTree(temporary);
  await copy(source, temporary, (path) => path !== join(source, 'node_modules'));
  const actual = treeId(await entriesIn(temporary, tree), tree);
  if (actual !== tree) throw new FailedError(`the release ${tree} holds another tree, ${actual}`);
  const modules = realpathSync(join(source, 'node_modules'));
  // Installed beside the release, or shared by those with the same lockfile.
  if (dirname(dirname(modules)) !== realpathSync(join(home, 'dependencies')) && dirname(modules) !== source)
    throw new FailedError(`the dependencies of ${tree} are not the deployer's: ${modules}`);
  // As in the home, its top is for nobody to write.
  await chmod(temporary, 0o755);
  await copy(modules, join(temporary, 'node_modules'), () => true);
  await makeReadOnly(temporary);
  // Whoever finds it under its name looks no more whether it is whole.
  await syncFileSystem(temporary);
  await rename(temporary, release);
}

/** Links stay what they are, and nothing is followed. */
async function copy(source: string, target: string, filter: (path: string) => boolean): Promise<void> {
  await cp(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
    filter,
  });
}

/** What ran before stays for the way back. */
async function prune({ directory }: Upgrades, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) if (!keep.has(name)) await removeTree(join(directory, name));
}
