import { page, type Reply } from '../http/reply.ts';
import type { Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { dateAndTime } from '../pages/parts.ts';
import { documentAddress, stateBadge } from './card.ts';
import { requireDocument } from './document.ts';
import { countComments, documentHead } from './document-page.ts';
import { eventsOf, type DocumentEvent } from './events.ts';
import { formatNumber } from './state.ts';

export async function showHistory(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const events = await eventsOf(db, document.id);
  const head = documentHead(
    document,
    { title: document.title, rev: document.current_rev },
    'history',
    await countComments(visit, document.id),
  );
  return page({
    title: `History of ${document.name}`,
    body: html`${head}
      <h2 class="visually-hidden">History</h2>
      <ol class="timeline" reversed>
        ${events.map((event) => entry(document.name, event))}
      </ol>`,
  });
}

function entry(name: string, event: DocumentEvent): Html {
  const anchor = `event-${event.id}`;
  return html`<li id="${anchor}">
    <p class="mb-1">${describe(name, event.data)}</p>
    <p class="small text-body-secondary mb-0">
      ${event.actor === null ? nothing : html`<a href="/person/${event.actor_id}/">${event.actor}</a> · `}
      <a href="#${anchor}">${dateAndTime(event.created_at)}</a>
    </p>
  </li>`;
}

function describe(name: string, data: DocumentEvent['data']): Html {
  if (data.type === 'revision') {
    return html`Revision <a href="${documentAddress(name)}${data.rev}/">${data.rev}</a> was posted`;
  }
  const number =
    data.number === undefined ? nothing : html` as <strong>${formatNumber(data.number)}</strong>`;
  return html`${stateBadge(data.from)} <span aria-hidden="true">→</span
    ><span class="visually-hidden">became</span> ${stateBadge(data.to)}${number}`;
}
