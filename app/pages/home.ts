import { documentCard } from '../documents/card.ts';
import { listDocuments, listQuery } from '../documents/list.ts';
import { STATES, stateLabel, type State } from '../documents/state.ts';
import { page, type Reply } from '../http/reply.ts';
import { get } from '../http/route.ts';
import type { Visit } from '../http/visit.ts';
import { html, type Html } from './html.ts';

export const homeRoutes = [get('/', 'anyone', showHome)];

async function showHome(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const recent = await listDocuments(db, listQuery.parse({}), 6);
  const counts = await db('documents')
    .groupBy('state')
    .select<{ state: State; count: number }[]>('state', db.raw('count(*) as count'));
  const count = new Map(counts.map((row) => [row.state, row.count]));
  return page({
    title: 'Meta-Layer Task Force',
    wide: true,
    body: html`${hero()}
      <div class="container-xl py-4">
        <section aria-labelledby="numbers">
          <h2 class="visually-hidden" id="numbers">In numbers</h2>
          <ul class="figures">
            ${STATES.map((state) => figure(state, count.get(state) ?? 0))}
          </ul>
        </section>
        <section aria-labelledby="recent">
          <div class="page-head">
            <h2 id="recent">Recent documents</h2>
            <a href="/doc/all/">All documents</a>
          </div>
          ${
            recent.documents.length === 0
              ? noDocuments()
              : html`<ul class="cards cards-2">
                  ${recent.documents.map(documentCard)}
                </ul>`
          }
        </section>
        ${process()}
      </div>`,
  });
}

function hero(): Html {
  return html`<section class="hero">
    <div class="container-xl">
      <p class="eyebrow">Open governance for the layer above the web</p>
      <h1>How the <span class="text-nowrap">meta-layer</span> is agreed on</h1>
      <p class="lead">
        The Meta-Layer Task Force writes the shared rules of the layer above web pages: identity, annotation,
        presence and trust. Every draft, comment and decision is on the record here.
      </p>
      <p class="mb-0">
        <a class="btn btn-light btn-lg" href="/doc/all/">Browse documents</a>
        <a class="btn btn-outline-light btn-lg" href="/submit/">Submit a draft</a>
      </p>
    </div>
  </section>`;
}

function figure(state: State, count: number): Html {
  return html`<li>
    <a href="/doc/all/?state=${state}"><strong>${count}</strong><span>${stateLabel(state)}</span></a>
  </li>`;
}

function noDocuments(): Html {
  return html`<div class="empty-state">
    <h3 class="h4">No documents yet</h3>
    <p>The first draft could be yours: <a href="/submit/">submit it</a>.</p>
  </div>`;
}

function process(): Html {
  return html`<section class="process" aria-labelledby="process">
    <h2 id="process">From draft to number</h2>
    <ol>
      <li>
        <h3>Draft</h3>
        <p>
          Anyone with an account submits a text. It is checked, previewed, and posted once its author
          confirms.
        </p>
      </li>
      <li>
        <h3>Discuss</h3>
        <p>Comments are public and threaded. Authors answer by posting the next revision.</p>
      </li>
      <li>
        <h3>Approve</h3>
        <p>An approver decides. The document receives its permanent ML number.</p>
      </li>
      <li>
        <h3>Publish</h3>
        <p>An administrator publishes it as a separate, deliberate act. Numbers never change hands.</p>
      </li>
    </ol>
    <ul class="directory">
      <li><a href="/doc/active/">Active drafts</a></li>
      <li><a href="/doc/recent/">Recently changed</a></li>
      <li><a href="/doc/in-last-call/">In last call</a></li>
      <li><a href="/doc/search/">Search</a></li>
      <li><a href="/group/">Groups</a></li>
    </ul>
  </section>`;
}
