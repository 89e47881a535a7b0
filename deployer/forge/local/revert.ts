import { gitText } from '../../release/git.ts';
import { isBranchName } from '../../release/names.ts';
import { parseCommit, readObjects } from '../../release/objects.ts';
import type { Commit } from '../../release/types.ts';
import { ForgeError, type Report } from '../types.ts';
import { compareAndSwap, headOf, untilSettled } from './refs.ts';
import { commitTree, mergeTrees } from './three-way.ts';

type Revert = Report & { type: 'revert' };

/**
 * Takes a commit back on its branch: by a branch `revert/<first 8>` that people may merge, or on the branch itself.
 * Nothing to do when it was reverted already or is not on the branch any more.
 * @throws ForgeError, not retryable, when later commits changed the same lines
 */
export async function revert(repository: string, report: Revert): Promise<void> {
  if (!isBranchName(report.branch)) {
    throw new ForgeError(`${JSON.stringify(report.branch)} is no branch`, { retryable: false });
  }
  const branch = `refs/heads/${report.branch}`;
  const target = report.how === 'push' ? branch : `refs/heads/revert/${report.commit.slice(0, 8)}`;
  await untilSettled(async () => {
    if (target !== branch && (await headOf(repository, target))) return 'done';
    const head = await headOf(repository, branch);
    const to = head && (await revertOnto(repository, head, report));
    if (!to) return 'done';
    const move = { from: target === branch ? head : null, to, reason: `deployer: revert ${report.commit}` };
    return (await compareAndSwap(repository, target, move)) ? 'done' : 'moved';
  });
}

/** The reverting commit on top of `head`, or null when there is nothing to take back. */
async function revertOnto(repository: string, head: string, report: Revert): Promise<string | null> {
  if (!(await needsRevert(repository, head, report.commit))) return null;
  const [ours, bad] = await commitsOf(repository, [head, report.commit]);
  // Of a merge, the first parent is the branch that was merged into (`git revert -m 1`).
  const before = bad?.parents[0]
    ? (await commitsOf(repository, [bad.parents[0]]))[0]?.tree
    : await emptyTree(repository);
  if (!ours || !bad || !before) throw new ForgeError(`${report.commit} cannot be read`, { retryable: true });
  const merged = await mergeTrees(repository, { base: bad.tree, ours: ours.tree, theirs: before });
  if ('conflicts' in merged) {
    const files = merged.conflicts.join(', ');
    const why = `${report.commit.slice(0, 8)} cannot be reverted on ${report.branch}: later commits changed ${files}`;
    throw new ForgeError(why, { retryable: false });
  }
  if (merged.tree === ours.tree) return null;
  const message = `${report.message.trimEnd()}\n\n${trailer(report.commit)}\n`;
  return await commitTree(repository, { tree: merged.tree, parents: [head], message });
}

/** On the branch, and not reverted there since. */
async function needsRevert(repository: string, head: string, commit: string): Promise<boolean> {
  const base = await gitText(['rev-list', '--max-count=1', '--end-of-options', commit, `^${head}`], {
    repository,
  });
  if (base !== '') return false;
  const range = `${commit}..${head}`;
  const args = ['log', '--format=%H', '--max-count=1', '--fixed-strings', `--grep=${trailer(commit)}`];
  return (await gitText([...args, '--end-of-options', range], { repository })) === '';
}

/** As `git revert` writes it, so that people's own reverts count too. */
function trailer(commit: string): string {
  return `This reverts commit ${commit}`;
}

async function commitsOf(repository: string, ids: readonly string[]): Promise<(Commit | null)[]> {
  const objects = await readObjects(
    ids.map((id) => `${id}^{commit}`),
    { repository },
  );
  return objects.map((object) => object && parseCommit(object));
}

async function emptyTree(repository: string): Promise<string> {
  return await gitText(['mktree'], { repository });
}
