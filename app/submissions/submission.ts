import type { Knex } from 'knex';
import type { User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { Format } from '../documents/document.ts';
import { conflict, notFound } from '../http/problem.ts';
import { rowId } from '../http/text.ts';
import type { Candidate } from './check.ts';
import type { Finding } from './check-text.ts';

export type SubmissionState = 'checked' | 'submitted' | 'approved' | 'returned' | 'superseded' | 'cancelled';

export interface Submission {
  id: number;
  name: string;
  rev: string;
  title: string;
  abstract: string;
  /** JSON, see `storedAuthors`. */
  authors: string;
  format: Format;
  bytes: number;
  storage_key: string;
  state: SubmissionState;
  note: string;
  group_id: number | null;
  doc_id: number | null;
  submitter_id: number;
  submitter: string;
  created_at: string;
  decided_at: string | null;
}

const ABANDONED_MS = 24 * 3600 * 1000;

/** Keeps a checked candidate until its author confirms it. @throws {Problem} 409 when somebody else holds the name */
export async function storeSubmission(
  trx: Transaction,
  user: User,
  candidate: Candidate,
  storageKey: string,
  findings: Finding[],
  now: Date,
): Promise<number> {
  const { name, rev, title, abstract, authors, format, bytes, groupId } = candidate;
  await clearTheWay(trx, user, name, rev, now);
  const row = {
    name,
    rev,
    title,
    abstract,
    format,
    group_id: groupId,
    storage_key: storageKey,
    state: 'checked',
  };
  const [created] = await trx('submissions')
    .insert({
      ...row,
      authors: JSON.stringify(authors),
      bytes: bytes.length,
      submitter_id: user.id,
      created_at: timestamp(now),
    })
    .returning<{ id: number }[]>('id');
  if (created === undefined) throw new Error('the database did not return the new submission');
  for (const finding of findings)
    await trx('submission_checks').insert({ ...finding, submission_id: created.id });
  return created.id;
}

/** The same person starts over, or another one left it unconfirmed for a day. */
async function clearTheWay(
  trx: Transaction,
  user: User,
  name: string,
  rev: string,
  now: Date,
): Promise<void> {
  const abandoned = timestamp(new Date(now.getTime() - ABANDONED_MS));
  await trx('submissions')
    .where({ name, rev, state: 'checked' })
    .andWhere((either) => void either.where({ submitter_id: user.id }).orWhere('created_at', '<', abandoned))
    .update({ state: 'cancelled' });
  const open = await trx('submissions')
    .where({ name, rev })
    .whereIn('state', ['checked', 'submitted'])
    .first<object | undefined>('id');
  if (open !== undefined) throw conflict(`${name}-${rev} has been submitted already.`);
}

/** @throws {Problem} 404 */
export async function requireSubmission(db: Knex, id: string | undefined): Promise<Submission> {
  const parsed = rowId.safeParse(id);
  const found = parsed.success ? await findSubmission(db, parsed.data) : undefined;
  if (found === undefined) throw notFound('This submission');
  return found;
}

async function findSubmission(db: Knex, id: number): Promise<Submission | undefined> {
  return db('submissions')
    .join('users', 'users.id', 'submissions.submitter_id')
    .where('submissions.id', id)
    .first<Submission | undefined>('submissions.*', 'users.name as submitter');
}

export function findingsOf(db: Knex, id: number): Promise<Finding[]> {
  return db('submission_checks')
    .where({ submission_id: id })
    .orderBy('id')
    .select<Finding[]>('severity', 'line', 'message');
}
