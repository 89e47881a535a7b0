import { gitText } from '../release/git.ts';
import { mergeCommits } from '../release/merge.ts';
import type { Merged } from '../release/types.ts';

/**
 * Merges the change from tree `base` to tree `theirs` into tree `ours`.
 * git 2.39 cannot be told a merge base, so it is given three commits of which it can only be `base`.
 */
export async function mergeTrees(
  repository: string,
  trees: { base: string; ours: string; theirs: string },
): Promise<Merged> {
  const base = await commitTree(repository, { tree: trees.base, parents: [], message: 'base' });
  const ours = await commitTree(repository, { tree: trees.ours, parents: [base], message: 'ours' });
  const theirs = await commitTree(repository, { tree: trees.theirs, parents: [base], message: 'theirs' });
  return await mergeCommits(repository, ours, theirs);
}

/** A commit by the deployer, as yet on no branch. */
export async function commitTree(
  repository: string,
  commit: { tree: string; parents: readonly string[]; message: string },
): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  const message = commit.message.endsWith('\n') ? commit.message : `${commit.message}\n`;
  return await gitText(['commit-tree', ...parents, '-F', '-', commit.tree], { repository, input: message });
}
