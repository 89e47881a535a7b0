import { grantRole } from '../accounts/register.ts';
import type { User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { indexText } from '../database/sqlite.ts';
import { findDocument, type Document } from '../documents/document.ts';
import { recordEvent } from '../documents/events.ts';
import { moveDocument } from '../documents/transition.ts';
import { conflict } from '../http/problem.ts';
import { storedAuthors, type SubmittedAuthor } from './authors.ts';
import { placeProblem } from './check.ts';
import { moveSubmission } from './move.ts';
import type { Submission } from './submission.ts';

/**
 * Posts what was previewed: the revision becomes public, and waits for an approver.
 * `text` goes into the search index. @throws {Problem} 403, 409
 */
export async function confirmSubmission(
  trx: Transaction,
  user: User,
  submission: Submission,
  text: string,
  now: Date,
): Promise<void> {
  const problem = await placeProblem(trx, user, submission.name, submission.rev);
  if (submission.state === 'checked' && problem !== null) {
    throw conflict(`This revision cannot be posted any more: ${Object.entries(problem)[0]?.join(' ')}.`);
  }
  const existing = await findDocument(trx, submission.name);
  const docId = existing?.id ?? (await insertDocument(trx, submission, now));
  await moveSubmission(trx, user, submission, 'submitted', now, { doc_id: docId });
  await supersedeEarlier(trx, submission, docId);
  await insertRevision(trx, submission, docId, now);
  if (existing !== undefined) await updateDocument(trx, user, existing, submission, now);
  const authors = storedAuthors(submission.authors);
  await replaceAuthors(trx, docId, authors);
  await indexText(trx, docId, authors.map(({ name }) => name).join(', '), text);
  await recordEvent(trx, docId, user.id, { type: 'revision', rev: submission.rev }, now);
  await grantRole(trx, user.id, 'author', null, now);
}

async function insertDocument(trx: Transaction, submission: Submission, now: Date): Promise<number> {
  const { name, title, abstract, group_id, rev } = submission;
  const at = timestamp(now);
  const row = {
    name,
    title,
    abstract,
    group_id,
    current_rev: rev,
    state: 'active',
    created_at: at,
    updated_at: at,
  };
  const [created] = await trx('documents').insert(row).returning<{ id: number }[]>('id');
  if (created === undefined) throw new Error('the database did not return the new document');
  return created.id;
}

/** A new revision wakes an expired draft up. */
async function updateDocument(
  trx: Transaction,
  user: User,
  document: Document,
  submission: Submission,
  now: Date,
): Promise<void> {
  const { title, abstract, rev } = submission;
  const row_version = document.row_version + 1;
  await trx('documents')
    .where({ id: document.id })
    .update({ title, abstract, current_rev: rev, updated_at: timestamp(now), row_version });
  if (document.state === 'expired')
    await moveDocument(trx, user, { ...document, row_version }, 'active', now);
}

async function insertRevision(
  trx: Transaction,
  submission: Submission,
  docId: number,
  now: Date,
): Promise<void> {
  const { rev, title, abstract, storage_key, format, bytes, submitter_id } = submission;
  const sha256 = storage_key.split('/').at(-1) ?? '';
  const row = {
    doc_id: docId,
    rev,
    title,
    abstract,
    sha256,
    submitted_by: submitter_id,
    created_at: timestamp(now),
  };
  const [created] = await trx('revisions').insert(row).returning<{ id: number }[]>('id');
  if (created === undefined) throw new Error('the database did not return the new revision');
  await trx('revision_files').insert({ revision_id: created.id, format, bytes, storage_key });
}

/** Who has an account under an author's address is that author. */
async function replaceAuthors(trx: Transaction, docId: number, authors: SubmittedAuthor[]): Promise<void> {
  const accounts = await trx('users')
    .whereIn(
      'email',
      authors.map(({ email }) => email),
    )
    .select<{ id: number; email: string }[]>('id', 'email');
  await trx('authors').where({ doc_id: docId }).delete();
  for (const [index, { name, email }] of authors.entries()) {
    const user_id = accounts.find((account) => account.email === email)?.id ?? null;
    await trx('authors').insert({ doc_id: docId, position: index + 1, name, email, user_id });
  }
}

async function supersedeEarlier(trx: Transaction, submission: Submission, docId: number): Promise<void> {
  await trx('submissions')
    .where({ doc_id: docId, state: 'submitted' })
    .whereNot({ id: submission.id })
    .update({ state: 'superseded' });
}
