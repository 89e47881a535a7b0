import { oneLine } from '../../problem.ts';
import { isBranchName } from '../../release/names.ts';
import { reversalOf } from '../reversal.ts';
import { ForgeError, type Report } from '../types.ts';
import { addStatus } from './notes.ts';
import { compareAndSwap, headOf, untilSettled } from './refs.ts';

type Revert = Report & { type: 'revert' };

/**
 * Takes a commit back on its branch: by a branch `revert/<first 8>` that people may merge, or on the branch itself.
 * Nothing to do when it was reverted already or is not on the branch any more.
 * @throws ForgeError, not retryable, when later commits changed the same lines; a status of the commit says so, too
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
    const reversal = head === null ? null : await reversalOf(repository, head, withReport(report));
    if (!reversal) return 'done';
    if ('impossible' in reversal) {
      await addStatus(repository, notReverted(report, reversal.impossible));
      throw new ForgeError(reversal.impossible, { retryable: false });
    }
    const from = target === branch ? head : null;
    const move = { from, to: reversal.commit, reason: `deployer: revert ${report.commit}` };
    return (await compareAndSwap(repository, target, move)) ? 'done' : 'moved';
  });
}

function notReverted(
  { commit, environment, targetUrl, at }: Revert,
  why: string,
): Report & { type: 'status' } {
  const description = oneLine(`not reverted: ${why}`, 140);
  return {
    type: 'status',
    commit,
    context: `revert/${environment}`,
    state: 'failure',
    description,
    targetUrl,
    at,
  };
}

/** What is a pull request's text elsewhere is the message here: the subject, then the report. */
function withReport(report: Revert): Revert {
  const [subject = ''] = report.message.split('\n');
  return { ...report, message: `${subject}\n\n${report.text}` };
}
