import { FailedError } from '../../problem.ts';
import { git, gitOr } from '../../release/git.ts';
import { mergeCommits } from '../../release/merge.ts';
import { isBranchName, isObjectId } from '../../release/names.ts';
import { compareAndSwap, headOf, untilSettled } from './refs.ts';
import { commitTree } from '../three-way.ts';

/**
 * Merges `head` (a branch or a commit) into the branch `base` and returns the resulting commit; see `Forge.merge`.
 * @throws FailedError on a conflict, naming the files, and for a branch that does not exist
 */
export async function mergeBranches(
  repository: string,
  request: { base: string; head: string; message: string },
): Promise<string> {
  const { base, head, message } = request;
  return await untilSettled(async () => {
    const ours = await branchHead(repository, base);
    const theirs = isObjectId(head) ? head : await branchHead(repository, head);
    if (await isAncestor(repository, theirs, ours)) return ours;
    const merged = await mergeCommits(repository, ours, theirs);
    if ('conflicts' in merged) {
      const files = merged.conflicts.join(', ');
      throw new FailedError(`${head} conflicts with ${base} in ${files}: merge ${base} into ${head} first`);
    }
    const to = await commitTree(repository, { tree: merged.tree, parents: [ours, theirs], message });
    const moved = await compareAndSwap(repository, `refs/heads/${base}`, {
      from: ours,
      to,
      reason: `deployer: merge ${head}`,
    });
    return moved ? to : 'moved';
  });
}

async function branchHead(repository: string, branch: string): Promise<string> {
  const head = isBranchName(branch) ? await headOf(repository, `refs/heads/${branch}`) : null;
  if (!head) throw new FailedError(`there is no branch ${JSON.stringify(branch)} in ${repository}`);
  return head;
}

async function isAncestor(repository: string, ancestor: string, descendant: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', ancestor, descendant];
  return await gitOr(
    false,
    git(args, { repository }).then(() => true),
  );
}
