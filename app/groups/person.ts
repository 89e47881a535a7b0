import { documentCard } from '../documents/card.ts';
import type { ListedDocument } from '../documents/list.ts';
import { notFound } from '../http/problem.ts';
import { page, type Reply } from '../http/reply.ts';
import { get, type Route } from '../http/route.ts';
import { rowId } from '../http/text.ts';
import type { Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';

export const personRoutes: Route[] = [get('/person/:id/', 'anyone', showPerson)];

interface Person {
  id: number;
  name: string;
  affiliation: string;
  biography: string;
}

interface Seat {
  acronym: string;
  name: string;
  role: string;
}

/** What somebody says about themselves and has written; never their address. */
async function showPerson(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const id = rowId.safeParse(visit.params['id']);
  const person = id.success
    ? await db('users')
        .where({ id: id.data })
        .first<Person | undefined>('id', 'name', 'affiliation', 'biography')
    : undefined;
  if (person === undefined) throw notFound('This person');
  const documents = await db('documents')
    .leftJoin('groups', 'groups.id', 'documents.group_id')
    .whereIn('documents.id', db('authors').where({ user_id: person.id }).select('doc_id'))
    .orderBy('documents.updated_at', 'desc')
    .limit(100)
    .select<ListedDocument[]>('documents.*', 'groups.acronym');
  const seats = await db('roles')
    .join('groups', 'groups.id', 'roles.group_id')
    .where({ user_id: person.id })
    .orderBy('groups.acronym')
    .select<Seat[]>('groups.acronym', 'groups.name', 'roles.role');
  return page({ title: person.name, body: body(person, documents, seats) });
}

function body(person: Person, documents: ListedDocument[], seats: Seat[]): Html {
  return html`<div class="page-head">
      <div>
        <h1>${person.name}</h1>
        ${person.affiliation === '' ? nothing : html`<p class="text-body-secondary mb-0">${person.affiliation}</p>`}
      </div>
    </div>
    ${person.biography === '' ? nothing : html`<p class="charter">${person.biography}</p>`}
    ${seats.length === 0 ? nothing : html`<p>${seats.map(({ acronym, name, role }) => html`<span class="role">${role}</span> of <a href="/group/${acronym}/">${name}</a> `)}</p>`}
    <h2 class="h4">Documents</h2>
    ${
      documents.length === 0
        ? html`<p class="text-body-secondary">None yet.</p>`
        : html`<ul class="cards">
            ${documents.map(documentCard)}
          </ul>`
    }`;
}
