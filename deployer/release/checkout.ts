import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedError } from '../problem.ts';
import { git } from './git.ts';
import { listTree, type TreeEntry } from './tree.ts';
import { differences } from './integrity.ts';

/**
 * Writes the files of a tree into `<workspace>/tree` and checks each against the tree.
 * @throws FailedError for a tree that may not be deployed, or when what was written is not what was committed
 */
export async function checkOut(request: {
  repository: string;
  tree: string;
  workspace: string;
  signal: AbortSignal;
}): Promise<TreeEntry[]> {
  const { repository, tree, workspace, signal } = request;
  const entries = await listTree(tree, { repository, signal });
  const directory = join(workspace, 'tree');
  await mkdir(directory);
  await git([`--work-tree=${directory}`, 'read-tree', '--reset', '-u', tree], {
    repository,
    env: { GIT_INDEX_FILE: join(workspace, 'index') },
    signal,
    timeoutMs: 300_000,
  });
  const [different] = await differences(directory, entries);
  if (different) throw new FailedError(`the release could not be written as committed: ${different}`);
  return entries;
}
