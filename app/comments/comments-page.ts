import { z } from 'zod';
import { countComments, documentHead } from '../documents/document-page.ts';
import { documentAddress } from '../documents/card.ts';
import { requireDocument, type Document } from '../documents/document.ts';
import { hasRole } from '../accounts/users.ts';
import { notFound } from '../http/problem.ts';
import { page, type Reply } from '../http/reply.ts';
import { rowId, type FieldErrors } from '../http/text.ts';
import type { Visit } from '../http/visit.ts';
import { textarea } from '../pages/forms.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { dateAndTime } from '../pages/parts.ts';
import { mayChange, type Comment } from './comments.ts';
import { COMMENTS_PER_THREAD, threadOf, threadsOf, type Thread } from './thread.ts';

/** Deeper answers are not indented further; each says whom it answers. */
const MAX_INDENT = 6;

const position = z.object({
  after: rowId.catch(0),
  thread: rowId.nullable().catch(null),
  skip: rowId.catch(0),
});

export async function showComments(visit: Visit, errors: FieldErrors = {}): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const { after, thread, skip } = position.parse({ thread: null, ...Object.fromEntries(visit.query) });
  const { threads, next } =
    thread === null
      ? await threadsOf(db, document.id, after)
      : { threads: [await threadOf(db, document.id, thread, skip)], next: null };
  if (thread !== null && threads[0]?.size === 0) throw notFound('This thread');
  const { renderMarkdown } = await import('../pages/markdown.ts');
  const show: Show = {
    visit,
    document,
    now: visit.services.clock(),
    render: (text) => renderMarkdown(text, 3),
  };
  const address = `${documentAddress(document.name)}comments/`;
  const count = await countComments(visit, document.id);
  const body = html`${documentHead(document, { title: document.title, rev: document.current_rev }, 'comments', count)}
    <section class="discussion" aria-labelledby="comments-heading">
      <h2 id="comments-heading" class="visually-hidden">Comments</h2>
      ${threads.length === 0 && after === 0 ? empty() : threads.map((one) => threadList(show, one))}
      <nav class="pager" aria-label="Pages">
        ${after === 0 && thread === null ? nothing : html`<a class="btn btn-outline-secondary" href="${address}">First comments</a>`}
        ${next === null ? nothing : html`<a class="btn btn-outline-primary" rel="next" href="${address}?after=${next}">More comments</a>`}
      </nav>
      ${newComment(visit, address, errors)}
    </section>`;
  return page({ title: `Comments on ${document.name}`, body }, Object.keys(errors).length === 0 ? 200 : 422);
}

interface Show {
  visit: Visit;
  document: Document;
  now: Date;
  render: (text: string) => Html;
}

function empty(): Html {
  return html`<div class="empty-state">
    <h3 class="h4">Nobody has commented yet</h3>
    <p class="mb-0">The first remark is often the most useful one.</p>
  </div>`;
}

function threadList(show: Show, thread: Thread): Html {
  const rest = thread.size - thread.skipped - thread.comments.length;
  const more = `${documentAddress(show.document.name)}comments/?thread=${thread.root}&skip=${thread.skipped + COMMENTS_PER_THREAD}`;
  return html`<ol class="thread">
      ${thread.comments.map((comment) => item(show, comment))}
    </ol>
    ${rest > 0 ? html`<p><a href="${more}">Read on: ${rest} more in this thread</a></p>` : nothing}`;
}

function item(show: Show, comment: Comment): Html {
  const { id, parent_id, depth, author_id, author, created_at, edited_at, deleted_at } = comment;
  return html`<li class="comment indent-${Math.min(depth, MAX_INDENT)}" id="comment-${id}">
    <p class="comment-head">
      ${deleted_at === null ? html`<a class="fw-semibold" href="/person/${author_id}/">${author}</a>` : nothing}
      <a class="text-body-secondary" href="${documentAddress(show.document.name)}comments/${id}/"
        >${dateAndTime(created_at)}</a
      >
      ${edited_at === null || deleted_at !== null ? nothing : html`<span class="text-body-secondary">edited</span>`}
      ${parent_id === null ? nothing : html`<a class="text-body-secondary" href="${documentAddress(show.document.name)}comments/${parent_id}/">a reply</a>`}
    </p>
    ${content(show, comment)} ${tools(show, comment)}
  </li>`;
}

function content({ visit, render }: Show, comment: Comment): Html {
  if (comment.deleted_at === null) return html`<div class="prose">${render(comment.body)}</div>`;
  const original = hasRole(visit.user, 'administrator')
    ? html`<details>
        <summary>Original, for administrators</summary>
        <div class="prose">${render(comment.body)}</div>
      </details>`
    : nothing;
  return html`<p class="placeholder-text">This comment was deleted by its author.</p>
    ${original}`;
}

function tools({ visit, document, now }: Show, comment: Comment): Html {
  if (visit.user === null || comment.deleted_at !== null) return nothing;
  const address = `${documentAddress(document.name)}comments/`;
  return html`<div class="comment-tools">
    <details>
      <summary>Reply</summary>
      <form method="post" action="${address}">
        ${csrfInput(visit)}<input type="hidden" name="parent" value="${comment.id}" />
        <label class="visually-hidden" for="reply-${comment.id}">Reply to ${comment.author}</label>
        <textarea
          class="form-control mb-2"
          id="reply-${comment.id}"
          name="body"
          rows="3"
          maxlength="10000"
          required
        ></textarea>
        <button class="btn btn-sm btn-primary">Post reply</button>
      </form>
    </details>
    ${mayChange(comment, visit.user, now) ? html`<a href="${address}${comment.id}/edit">Edit or delete</a>` : nothing}
  </div>`;
}

function newComment(visit: Visit, address: string, errors: FieldErrors): Html {
  if (visit.user === null) {
    return html`<p class="panel mb-0">
      <a href="/login/?next=${encodeURIComponent(address)}">Log in</a> to take part in the discussion.
    </p>`;
  }
  const value = visit.form.fields.get('parent') === null ? (visit.form.fields.get('body') ?? '') : '';
  return html`<form class="panel" method="post" action="${address}">
    ${csrfInput(visit)}
    ${textarea({ name: 'body', label: 'Your comment', value, maxlength: 10_000, hint: 'Markdown works. You can change it for 15 minutes.' }, errors)}
    <button class="btn btn-primary">Post comment</button>
  </form>`;
}
