import { notFound } from '../http/problem.ts';
import { moved, page, type Reply } from '../http/reply.ts';
import type { Visit } from '../http/visit.ts';
import { html, nothing, raw, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { date } from '../pages/parts.ts';
import { documentAddress, stateBadge } from './card.ts';
import {
  authorsOf,
  requireDocument,
  revisionsOf,
  type Author,
  type Document,
  type Revision,
} from './document.ts';
import { formatNumber, parseNumber, stateLabel, type State } from './state.ts';
import { readRevision } from './text.ts';
import { possibleMoves } from './transition.ts';

/** What the page offers as a button. Approval, publication and last calls have places of their own. */
const BUTTONS: Partial<Record<State, string>> = {
  withdrawn: 'Withdraw',
  expired: 'Mark as expired',
  active: 'Make active again',
};

/** `/doc/:name/`, and `/doc/ml-001/` for as long as numbers are remembered. */
export async function redirectToDocument(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const name = visit.params['name'] ?? '';
  const number = parseNumber(name);
  if (number === null) return moved(documentAddress((await requireDocument(db, name)).name));
  const numbered = await db('documents')
    .where({ ml_number: number })
    .first<{ name: string } | undefined>('name');
  if (numbered === undefined) throw notFound(formatNumber(number));
  return moved(documentAddress(numbered.name));
}

export async function showDocument(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const [authors, revisions, moves, comments] = await Promise.all([
    authorsOf(db, document.id),
    revisionsOf(db, document.id),
    possibleMoves(db, visit.user, document),
    countComments(visit, document.id),
  ]);
  const wanted = visit.params['rev'] ?? document.current_rev;
  const revision = revisions.find(({ rev }) => rev === wanted);
  if (revision === undefined) throw notFound(`Revision ${wanted}`);
  const text = await readRevision(visit.services.files, revision);
  return page({
    title: titleOf(document, revision),
    body: html`${documentHead(document, revision, 'text', comments)} ${oldRevisionBanner(document, revision)}
      <div class="with-aside aside-end">
        <article>
          <section class="abstract">
            <h2>Abstract</h2>
            <p>${revision.abstract}</p>
          </section>
          ${text}
        </article>
        ${aside(document, authors, revisions, revision, moveForm(visit, document, moves))}
      </div>`,
  });
}

export async function countComments(visit: Visit, docId: number): Promise<number> {
  const [row] = await visit.services.database
    .read('comments')
    .where({ doc_id: docId })
    .whereNull('deleted_at')
    .count<{ count: number }[]>('* as count');
  return row?.count ?? 0;
}

/** Title, state and the tabs that all pages of a document share. */
export function documentHead(
  document: Document,
  shown: { title: string; rev: string },
  tab: string,
  comments: number,
): Html {
  const address = documentAddress(document.name);
  const tabs = [
    ['text', address, 'Document'],
    ['comments', `${address}comments/`, `Comments (${comments})`],
    ['history', `${address}history/`, 'History'],
  ];
  return html`<div class="doc-head">
    <p class="doc-card-meta">
      ${stateBadge(document.state)}
      ${document.ml_number === null ? nothing : html`<span class="ml-number">${formatNumber(document.ml_number)}</span>`}
      <code>${document.name}-${shown.rev}</code>
    </p>
    <h1>${shown.title}</h1>
    <nav class="tabs" aria-label="This document">
      <ul>
        ${tabs.map(([key, href, label]) => html`<li><a href="${href}" ${key === tab ? raw('aria-current="page"') : nothing}>${label}</a></li>`)}
      </ul>
    </nav>
  </div>`;
}

function titleOf(document: Document, revision: Revision): string {
  const number = document.ml_number === null ? '' : `${formatNumber(document.ml_number)}: `;
  return `${number}${revision.title}${revision.rev === document.current_rev ? '' : ` (revision ${revision.rev})`}`;
}

function oldRevisionBanner(document: Document, revision: Revision): Html {
  if (revision.rev === document.current_rev) return nothing;
  return html`<div class="alert alert-warning" role="note">
    This is the old revision ${revision.rev}.
    <a class="alert-link" href="${documentAddress(document.name)}"
      >Read the current one, ${document.current_rev}</a
    >.
  </div>`;
}

function aside(
  document: Document,
  authors: Author[],
  revisions: Revision[],
  shown: Revision,
  actions: Html,
): Html {
  const address = documentAddress(document.name);
  const file = `${document.name}-${shown.rev}.${shown.format}`;
  return html`<aside class="facts" aria-label="About this document">
    <dl>
      <dt>State</dt>
      <dd>${stateLabel(document.state)}</dd>
      ${
        document.published_at === null
          ? nothing
          : html`<dt>Published</dt>
              <dd>${date(document.published_at)}</dd>`
      }
      ${
        document.acronym === null
          ? nothing
          : html`<dt>Group</dt>
              <dd><a href="/group/${document.acronym}/">${document.group_name}</a></dd>`
      }
      <dt>${authors.length === 1 ? 'Author' : 'Authors'}</dt>
      <dd>
        <ul>
          ${authors.map((author) => html`<li>${author.user_id === null ? author.name : html`<a href="/person/${author.user_id}/">${author.name}</a>`}</li>`)}
        </ul>
      </dd>
      <dt>Revisions</dt>
      <dd>
        <ul class="revisions">
          ${revisions.map(
            ({ rev, created_at }) =>
              html`<li>
                <a
                  href="${rev === document.current_rev ? address : `${address}${rev}/`}"
                  ${rev === shown.rev ? raw('aria-current="true"') : nothing}
                  >${rev}</a
                >
                ${date(created_at)}
              </li>`,
          )}
        </ul>
      </dd>
      <dt>Take it with you</dt>
      <dd>
        <ul>
          <li>
            <a href="${address}${shown.rev}/${file}">${shown.format.toUpperCase()} file</a>
            <span class="text-body-secondary">${size(shown.bytes)}</span>
          </li>
          <li><a href="${address}bibtex/">BibTeX</a></li>
          <li><a href="${address}doc.json">JSON</a></li>
        </ul>
      </dd>
    </dl>
    ${actions}
  </aside>`;
}

function moveForm(visit: Visit, document: Document, moves: State[]): Html {
  const offered = moves.filter((state) => state in BUTTONS);
  if (offered.length === 0) return nothing;
  return html`<form class="actions" method="post" action="${documentAddress(document.name)}state/">
    ${csrfInput(visit)}
    ${offered.map((state) => html`<button class="btn btn-sm btn-outline-danger" name="to" value="${state}">${BUTTONS[state]}</button>`)}
  </form>`;
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} kB`;
}
