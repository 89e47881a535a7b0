import type { Role } from '../accounts/users.ts';
import { documentCard } from '../documents/card.ts';
import { listDocuments, listQuery } from '../documents/list.ts';
import { notFound } from '../http/problem.ts';
import { page, type Reply } from '../http/reply.ts';
import { get, type Route } from '../http/route.ts';
import type { Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';

export const groupRoutes: Route[] = [
  get('/group/', 'anyone', showGroups),
  get('/group/:acronym/', 'anyone', showGroup),
];

interface Group {
  id: number;
  acronym: string;
  name: string;
  charter: string;
  state: 'active' | 'concluded';
}

interface Member {
  id: number;
  name: string;
  affiliation: string;
  role: Role;
}

async function showGroups(visit: Visit): Promise<Reply> {
  const groups = await visit.services.database.read('groups').orderBy('acronym').select<Group[]>();
  const list = html`<ul class="cards cards-2">
    ${groups.map(groupCard)}
  </ul>`;
  const none = html`<div class="empty-state">
    <h2 class="h4">No groups yet</h2>
    <p class="mb-0">An administrator can charter the first one.</p>
  </div>`;
  return page({
    title: 'Groups',
    body: html`<div class="page-head"><h1>Groups</h1></div>
      ${groups.length === 0 ? none : list}`,
  });
}

function groupCard({ acronym, name, charter, state }: Group): Html {
  return html`<li class="doc-card">
    <div class="doc-card-meta">
      <code>${acronym}</code
      >${state === 'active' ? nothing : html`<span class="state state-expired">Concluded</span>`}
    </div>
    <h2><a href="/group/${acronym}/">${name}</a></h2>
    <p class="clamp mb-0">${charter}</p>
  </li>`;
}

async function showGroup(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const group = await db('groups')
    .where({ acronym: visit.params['acronym'] ?? '' })
    .first<Group | undefined>();
  if (group === undefined) throw notFound('This group');
  const members = await db('roles')
    .join('users', 'users.id', 'roles.user_id')
    .where({ group_id: group.id })
    .orderBy([{ column: 'role' }, { column: 'users.name' }])
    .select<Member[]>('users.id', 'users.name', 'users.affiliation', 'roles.role');
  const listing = await listDocuments(db, listQuery.parse({ group: group.acronym }), 50);
  return page({
    title: group.name,
    body: html`<div class="page-head">
        <div>
          <p class="mb-1"><code>${group.acronym}</code></p>
          <h1>${group.name}</h1>
        </div>
      </div>
      <div class="with-aside aside-end">
        <div>
          <p class="lead charter">${group.charter}</p>
          <h2 class="h4">Documents</h2>
          ${
            listing.documents.length === 0
              ? html`<p class="text-body-secondary">None yet.</p>`
              : html`<ul class="cards">
                  ${listing.documents.map(documentCard)}
                </ul>`
          }
          ${listing.next === null ? nothing : html`<p><a href="/doc/all/?group=${group.acronym}">All ${listing.total} documents</a></p>`}
        </div>
        <aside class="facts" aria-label="People">
          <dl>
            ${people(
              'Chairs',
              members.filter(({ role }) => role === 'chair'),
            )}
            ${people(
              'Members',
              members.filter(({ role }) => role === 'member'),
            )}
          </dl>
        </aside>
      </div>`,
  });
}

function people(label: string, members: Member[]): Html {
  if (members.length === 0) return nothing;
  return html`<dt>${label}</dt>
    <dd>
      <ul>
        ${members.map(({ id, name, affiliation }) => html`<li><a href="/person/${id}/">${name}</a>${affiliation === '' ? nothing : html` <span class="text-body-secondary">${affiliation}</span>`}</li>`)}
      </ul>
    </dd>`;
}
