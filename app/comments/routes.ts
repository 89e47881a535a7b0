import { documentAddress } from '../documents/card.ts';
import { requireDocument } from '../documents/document.ts';
import { notFound } from '../http/problem.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { fieldErrors, rowId, type FieldErrors } from '../http/text.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { textarea } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { z } from 'zod';
import {
  addComment,
  commentBody,
  deleteComment,
  editComment,
  EDIT_MINUTES,
  findComment,
} from './comments.ts';
import { placeOf } from './thread.ts';
import { showComments } from './comments-page.ts';

export const commentRoutes: Route[] = [
  get('/doc/draft/:name/comments/', 'anyone', (visit) => showComments(visit)),
  post('/doc/draft/:name/comments/', 'signed-in', postComment),
  get('/doc/draft/:name/comments/:id/', 'anyone', findInPages),
  get('/doc/draft/:name/comments/:id/edit', 'signed-in', (visit) => showEdit(visit)),
  post('/doc/draft/:name/comments/:id/edit', 'signed-in', saveEdit),
  post('/doc/draft/:name/comments/:id/delete', 'signed-in', removeComment),
];

const newComment = z.object({ body: commentBody, parent: rowId.optional() });

async function postComment(visit: Visit): Promise<Reply> {
  const given = newComment.safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return showComments(visit, fieldErrors(given.error));
  const { body, parent } = given.data;
  return write(visit, async (trx) => {
    const document = await requireDocument(trx, visit.params['name']);
    const now = visit.services.clock();
    const id = await addComment(trx, signedIn(visit), document.id, parent ?? null, body, now);
    return redirect(commentAddress(document.name, id));
  });
}

async function saveEdit(visit: Visit): Promise<Reply> {
  const given = z.object({ body: commentBody }).safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return showEdit(visit, fieldErrors(given.error));
  return write(visit, async (trx) => {
    const document = await requireDocument(trx, visit.params['name']);
    const id = idOf(visit);
    await editComment(trx, signedIn(visit), document.id, id, given.data.body, visit.services.clock());
    return redirect(commentAddress(document.name, id));
  });
}

async function removeComment(visit: Visit): Promise<Reply> {
  return write(visit, async (trx) => {
    const document = await requireDocument(trx, visit.params['name']);
    const id = idOf(visit);
    await deleteComment(trx, signedIn(visit), document.id, id, visit.services.clock());
    return redirect(commentAddress(document.name, id));
  });
}

async function showEdit(visit: Visit, errors: FieldErrors = {}): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const comment = await findComment(db, document.id, idOf(visit));
  if (comment === undefined || comment.author_id !== signedIn(visit).id || comment.deleted_at !== null) {
    throw notFound('This comment');
  }
  const address = `${documentAddress(document.name)}comments/${comment.id}`;
  const value = visit.form.fields.get('body') ?? comment.body;
  const hint = `Until ${EDIT_MINUTES} minutes after you wrote it. The text that was stays in the record.`;
  const body = html`<h1>Change your comment</h1>
    <form class="panel mb-3" method="post" action="${address}/edit">
      ${csrfInput(visit)}
      ${textarea({ name: 'body', label: 'Comment', value, rows: 8, hint, maxlength: 10_000 }, errors)}
      <button class="btn btn-primary">Save</button>
      <a class="btn btn-outline-secondary" href="${commentAddress(document.name, comment.id)}">Back</a>
    </form>
    <form class="panel" method="post" action="${address}/delete">
      ${csrfInput(visit)}
      <h2 class="h5">Delete it</h2>
      <p>Answers to it stay, below a note that it was deleted.</p>
      <button class="btn btn-outline-danger">Delete comment</button>
    </form>`;
  return page({ title: 'Change your comment', body }, Object.keys(errors).length === 0 ? 200 : 422);
}

/** A comment's address for good, wherever paging puts it. */
async function findInPages(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const comment = await findComment(db, document.id, idOf(visit));
  if (comment === undefined) throw notFound('This comment');
  const place = await placeOf(db, document.id, comment);
  return redirect(`${documentAddress(document.name)}comments/?${place}#comment-${comment.id}`);
}

/** @throws {Problem} 404 */
function idOf(visit: Visit): number {
  const id = rowId.safeParse(visit.params['id']);
  if (!id.success) throw notFound('This comment');
  return id.data;
}

function commentAddress(name: string, id: number): string {
  return `${documentAddress(name)}comments/${id}/`;
}
