import { git, gitText } from '../release/git.ts';
import { parseCommit, readObjects } from '../release/objects.ts';
import type { Commit } from '../release/types.ts';
import { commitTree, mergeTrees } from './three-way.ts';
import type { Report } from './types.ts';

type Revert = Report & { type: 'revert' };

/** The reverting commit, why there can be none, or null when there is nothing (left) to take back. */
export type Reversal = { commit: string } | { impossible: string } | null;

/** By this our own reverts are known, also after a squash or a rebase: none is taken back by itself again. */
const OURS = 'Reverted-by: deployer';

/** Takes `report.commit` back on top of `head`; both are in the repository, where the new commit is on no branch as yet. */
export async function reversalOf(repository: string, head: string, report: Revert): Promise<Reversal> {
  const { commit, branch } = report;
  const [ours, bad] = await commitsOf(repository, [head, commit]);
  if (!ours || !bad || !(await isThere(repository, head, commit))) return null;
  const short = commit.slice(0, 8);
  if (await isOurs(repository, bad))
    return {
      impossible: `${short} is a revert by the deployer itself: taking it back is for a person to decide`,
    };
  // Of a merge, the first parent is the branch that was merged into (`git revert -m 1`).
  const [parent] = bad.parents;
  const before = parent ? (await commitsOf(repository, [parent]))[0]?.tree : await emptyTree(repository);
  if (!before) return { impossible: `what was before ${short} is not in the repository` };
  const merged = await mergeTrees(repository, { base: bad.tree, ours: ours.tree, theirs: before });
  if ('conflicts' in merged) {
    const files = merged.conflicts.join(', ');
    return { impossible: `${short} cannot be reverted on ${branch}: later commits changed ${files}` };
  }
  if (merged.tree === ours.tree) return null;
  const message = `${report.message.trimEnd()}\n\n${recognisedBy(report)}`;
  return { commit: await commitTree(repository, { tree: merged.tree, parents: [head], message }) };
}

/** What this and a later look recognise a revert by. */
export function recognisedBy({ commit, deployment }: Revert): string {
  return `${reverts(commit)}\n\n${OURS}, deployment ${deployment}\n`;
}

/** On the branch, and not reverted there since. */
async function isThere(repository: string, head: string, commit: string): Promise<boolean> {
  const unreachable = ['rev-list', '--max-count=1', '--end-of-options', commit, `^${head}`];
  if ((await gitText(unreachable, { repository })) !== '') return false;
  const args = ['log', '--format=%H', '--max-count=1', '--fixed-strings', `--grep=${reverts(commit)}`];
  return (await gitText([...args, '--end-of-options', `${commit}..${head}`], { repository })) === '';
}

/** Whether all that a commit (or a merge) brought are reverts by the deployer. */
async function isOurs(repository: string, { commit, parents }: Commit): Promise<boolean> {
  const others = ['--no-merges', '--invert-grep', '--fixed-strings', `--grep=${OURS}`];
  const args = ['log', '--format=%H', '--max-count=1', ...others, '--end-of-options', commit];
  const [parent] = parents;
  const found = await git(parent ? [...args, `^${parent}`] : args, { repository });
  return found.length === 0;
}

/** As `git revert` writes it, so that people's own reverts count too. */
function reverts(commit: string): string {
  return `This reverts commit ${commit}`;
}

async function commitsOf(repository: string, ids: readonly string[]): Promise<(Commit | null)[]> {
  const names = ids.map((id) => `${id}^{commit}`);
  const objects = await readObjects(names, { repository });
  return objects.map((object) => object && parseCommit(object));
}

async function emptyTree(repository: string): Promise<string> {
  return await gitText(['mktree'], { repository });
}
