import { page, type Reply } from '../http/reply.ts';
import type { Visit } from '../http/visit.ts';
import { option } from '../pages/forms.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { documentCard } from './card.ts';
import { listDocuments, listQuery, SORT_LABELS, type Listing, type ListQuery } from './list.ts';
import { stateLabel, STATES } from './state.ts';

interface GroupChoice {
  acronym: string;
  name: string;
}

/** A list under its own address; what the address fixes cannot be overridden by the query. */
export function listPage(title: string, fixed: Partial<ListQuery> = {}): (visit: Visit) => Promise<Reply> {
  return async (visit) => {
    const db = visit.services.database.read;
    const query = { ...listQuery.parse(Object.fromEntries(visit.query)), ...fixed };
    const listing = await listDocuments(db, query);
    const groups = await db('groups').select<GroupChoice[]>('acronym', 'name').orderBy('acronym');
    return page({ title, body: body(title, query, listing, groups, visit.url.split('?')[0] ?? '/doc/all/') });
  };
}

function body(title: string, query: ListQuery, listing: Listing, groups: GroupChoice[], path: string): Html {
  return html`<div class="page-head">
      <h1>${title}</h1>
      <p class="text-body-secondary mb-0">
        ${listing.total === 1 ? '1 document' : `${listing.total} documents`}${query.q === '' ? '' : ` for “${query.q}”`}
      </p>
    </div>
    <div class="with-aside">
      ${filterForm(query, groups)}
      <section aria-label="Results">
        ${
          listing.documents.length === 0
            ? emptyList()
            : html`<ul class="cards">
                ${listing.documents.map(documentCard)}
              </ul>`
        }
        ${pager(query, listing, path)}
      </section>
    </div>`;
}

function filterForm(query: ListQuery, groups: GroupChoice[]): Html {
  return html`<form class="panel filters" method="get" action="/doc/all/">
    <div>
      <label class="form-label" for="q">Words or ML number</label>
      <input class="form-control" type="search" id="q" name="q" value="${query.q}" />
    </div>
    <div>
      <label class="form-label" for="state">State</label>
      <select class="form-select" id="state" name="state">
        ${option('', 'Any', query.state)}${STATES.map((state) => option(state, stateLabel(state), query.state))}
      </select>
    </div>
    <div>
      <label class="form-label" for="group">Group</label>
      <select class="form-select" id="group" name="group">
        ${option('', 'Any', query.group)}${groups.map(({ acronym, name }) => option(acronym, name, query.group))}
      </select>
    </div>
    <div>
      <label class="form-label" for="author">Author</label>
      <input class="form-control" id="author" name="author" value="${query.author}" />
    </div>
    <div>
      <label class="form-label" for="sort">Sort by</label>
      <select class="form-select" id="sort" name="sort">
        ${SORT_LABELS.map(([sort, label]) => option(sort, label, query.sort))}
      </select>
    </div>
    <button class="btn btn-primary w-100">Show</button>
  </form>`;
}

function emptyList(): Html {
  return html`<div class="empty-state">
    <h2 class="h4">No document matches</h2>
    <p>Try fewer words, or <a href="/doc/all/">look at all documents</a>.</p>
  </div>`;
}

function pager(query: ListQuery, listing: Listing, path: string): Html {
  const here = Object.entries(query).filter(([name, value]) => value !== '' && name !== 'after');
  const first = new URLSearchParams(here);
  const next = new URLSearchParams([...here, ['after', listing.next ?? '']]);
  return html`<nav class="pager" aria-label="Pages">
    ${query.after === '' ? nothing : html`<a class="btn btn-outline-secondary" href="${path}?${first}">First page</a>`}
    ${listing.next === null ? nothing : html`<a class="btn btn-outline-primary" href="${path}?${next}" rel="next">Next page</a>`}
  </nav>`;
}
