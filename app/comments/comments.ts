import type { Knex } from 'knex';
import type { User } from '../accounts/users.ts';
import { minutesBefore, timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { forbidden, notFound } from '../http/problem.ts';
import { paragraphs } from '../http/text.ts';

export const EDIT_MINUTES = 15;

export const commentBody = paragraphs(10_000);

export interface Comment {
  id: number;
  doc_id: number;
  parent_id: number | null;
  root_id: number | null;
  depth: number;
  author_id: number;
  author: string;
  body: string;
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
}

/** @throws {Problem} 404 when the comment that it answers is not of this document or was deleted */
export async function addComment(
  trx: Transaction,
  user: User,
  docId: number,
  parentId: number | null,
  body: string,
  now: Date,
): Promise<number> {
  const place = parentId === null ? { root_id: null, depth: 0 } : await placeBelow(trx, docId, parentId);
  const row = {
    doc_id: docId,
    parent_id: parentId,
    ...place,
    author_id: user.id,
    body,
    created_at: timestamp(now),
  };
  const [created] = await trx('comments').insert(row).returning<{ id: number }[]>('id');
  if (created === undefined) throw new Error('the database did not return the new comment');
  return created.id;
}

async function placeBelow(
  trx: Transaction,
  docId: number,
  parentId: number,
): Promise<{ root_id: number; depth: number }> {
  const parent = await findComment(trx, docId, parentId);
  if (parent === undefined || parent.deleted_at !== null) throw notFound('The comment that you answer');
  return { root_id: parent.root_id ?? parent.id, depth: parent.depth + 1 };
}

export async function findComment(db: Knex, docId: number, id: number): Promise<Comment | undefined> {
  return db('comments')
    .join('users', 'users.id', 'comments.author_id')
    .where({ 'comments.id': id, 'comments.doc_id': docId })
    .first<Comment | undefined>('comments.*', 'users.name as author');
}

/** The text that was is kept. @throws {Problem} 403, 404 */
export async function editComment(
  trx: Transaction,
  user: User,
  docId: number,
  id: number,
  body: string,
  now: Date,
): Promise<void> {
  const old = await requireComment(trx, docId, id);
  const changed = await ownAndRecent(trx, user, docId, id, now).update({ body, edited_at: timestamp(now) });
  if (changed === 0) throw tooLate();
  await trx('comment_versions').insert({
    comment_id: id,
    body: old.body,
    replaced_by: user.id,
    replaced_at: timestamp(now),
  });
}

/** The row stays, with its text for administrators; everybody else sees that something was there. @throws {Problem} 403, 404 */
export async function deleteComment(
  trx: Transaction,
  user: User,
  docId: number,
  id: number,
  now: Date,
): Promise<void> {
  await requireComment(trx, docId, id);
  const changed = await ownAndRecent(trx, user, docId, id, now).update({
    deleted_at: timestamp(now),
    deleted_by: user.id,
  });
  if (changed === 0) throw tooLate();
}

export function mayChange(comment: Comment, user: User | null, now: Date): boolean {
  return comment.author_id === user?.id && comment.deleted_at === null && comment.created_at > openSince(now);
}

async function requireComment(db: Knex, docId: number, id: number): Promise<Comment> {
  const comment = await findComment(db, docId, id);
  if (comment === undefined) throw notFound('This comment');
  return comment;
}

/** The rule is in the WHERE, by the server's clock at the moment of writing: nothing can come between look and leap. */
function ownAndRecent(trx: Transaction, user: User, docId: number, id: number, now: Date): Knex.QueryBuilder {
  return trx('comments')
    .where({ id, doc_id: docId, author_id: user.id, deleted_at: null })
    .andWhere('created_at', '>', openSince(now));
}

/** Comments written after this can still be changed. Editing does not move `created_at`, so it extends nothing. */
function openSince(now: Date): string {
  return timestamp(minutesBefore(now, EDIT_MINUTES));
}

function tooLate(): Error {
  return forbidden(`Only its author can change a comment, within ${EDIT_MINUTES} minutes of writing it.`);
}
