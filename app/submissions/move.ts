import { holdsAny, type User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { conflict, forbidden } from '../http/problem.ts';
import type { Submission, SubmissionState } from './submission.ts';

/**
 * Moves a submission as the transition table allows; "author" is the one who submitted it.
 * @throws {Problem} 409 when there is no such move (any more), 403 when it is somebody else's to make
 */
export async function moveSubmission(
  trx: Transaction,
  user: User,
  submission: Submission,
  to: SubmissionState,
  now: Date,
  values: { doc_id?: number; note?: string } = {},
): Promise<void> {
  const roles = await trx('state_transitions')
    .where({ subject: 'submission', from_state: submission.state, to_state: to })
    .pluck<string[]>('role');
  if (roles.length === 0) throw conflict(`This submission is ${submission.state}; it cannot become ${to}.`);
  const own = submission.submitter_id === user.id && roles.includes('author');
  if (!own && !holdsAny(user, roles)) throw forbidden('It is not yours to decide about this submission.');
  const decided =
    to === 'approved' || to === 'returned' ? { decided_by: user.id, decided_at: timestamp(now) } : {};
  const moved = await trx('submissions')
    .where({ id: submission.id, state: submission.state })
    .update({ ...values, ...decided, state: to });
  if (moved === 0) throw conflict('Somebody else decided about this submission meanwhile.');
}
