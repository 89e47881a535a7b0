import type { User } from '../accounts/users.ts';
import type { Transaction } from '../database/database.ts';
import { approveDocument } from '../documents/approval.ts';
import { requireDocument } from '../documents/document.ts';
import { moveSubmission } from './move.ts';
import type { Submission } from './submission.ts';

/** Once is enough: approving what is approved already changes nothing. @throws {Problem} 403, 409 */
export async function approveSubmission(
  trx: Transaction,
  user: User,
  submission: Submission,
  now: Date,
): Promise<void> {
  if (submission.state === 'approved') return;
  await moveSubmission(trx, user, submission, 'approved', now);
  await approveDocument(trx, user, await requireDocument(trx, submission.name), now);
}
