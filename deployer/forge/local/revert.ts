import { isBranchName } from '../../release/names.ts';
import { reversalOf } from '../reversal.ts';
import { ForgeError, type Report } from '../types.ts';
import { compareAndSwap, headOf, untilSettled } from './refs.ts';

/**
 * Takes a commit back on its branch: by a branch `revert/<first 8>` that people may merge, or on the branch itself.
 * Nothing to do when it was reverted already or is not on the branch any more.
 * @throws ForgeError, not retryable, when later commits changed the same lines
 */
export async function revert(repository: string, report: Report & { type: 'revert' }): Promise<void> {
  if (!isBranchName(report.branch)) {
    throw new ForgeError(`${JSON.stringify(report.branch)} is no branch`, { retryable: false });
  }
  const branch = `refs/heads/${report.branch}`;
  const target = report.how === 'push' ? branch : `refs/heads/revert/${report.commit.slice(0, 8)}`;
  await untilSettled(async () => {
    if (target !== branch && (await headOf(repository, target))) return 'done';
    const head = await headOf(repository, branch);
    const reversal = head === null ? null : await reversalOf(repository, head, report);
    if (!reversal) return 'done';
    if ('impossible' in reversal) throw new ForgeError(reversal.impossible, { retryable: false });
    const from = target === branch ? head : null;
    const move = { from, to: reversal.commit, reason: `deployer: revert ${report.commit}` };
    return (await compareAndSwap(repository, target, move)) ? 'done' : 'moved';
  });
}
