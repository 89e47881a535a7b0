import { z } from 'zod';
import { grantRole, revokeRole } from '../accounts/register.ts';
import type { Role } from '../accounts/users.ts';
import { badRequest, conflict, notFound } from '../http/problem.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { rowId } from '../http/text.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';

const PAGE = 50;

export const adminUserRoutes: Route[] = [
  get('/admin/users/', ['administrator'], listUsers),
  post('/admin/users/:id/roles', ['administrator'], changeRoles),
];

const EVERYWHERE = ['author', 'chair', 'approver', 'administrator'] as const;
const IN_GROUP = ['member', 'chair'] as const;

const change = z
  .object({
    role: z.enum(['author', 'member', 'chair', 'approver', 'administrator']),
    group: z.union([z.literal('').transform(() => null), rowId]).default(null),
    act: z.enum(['grant', 'revoke']),
  })
  .refine(({ role, group }) =>
    (group === null ? EVERYWHERE : IN_GROUP).some((possible) => possible === role),
  );

async function changeRoles(visit: Visit): Promise<Reply> {
  const given = change.safeParse(Object.fromEntries(visit.form.fields));
  const id = rowId.safeParse(visit.params['id']);
  if (!given.success)
    throw badRequest(
      'There is no such role to give. Members belong to a group; approvers and administrators to none.',
    );
  if (!id.success) throw notFound('This account');
  const { role, group, act } = given.data;
  if (act === 'revoke' && role === 'administrator' && id.data === signedIn(visit).id) {
    throw conflict('Nobody takes their own administration away: there might be nobody left to give it back.');
  }
  await write(visit, async (trx) => {
    const user = await trx('users').where({ id: id.data }).first<object | undefined>('id');
    if (user === undefined) throw notFound('This account');
    if (act === 'revoke') await revokeRole(trx, id.data, role, group);
    else await grantRole(trx, id.data, role, group, visit.services.clock());
  });
  return redirect(`/admin/users/?after=${id.data - 1}`);
}

interface Row {
  id: number;
  name: string;
  email: string;
}

interface Held {
  user_id: number;
  role: Role;
  group_id: number | null;
  acronym: string | null;
}

interface Group {
  id: number;
  acronym: string;
}

async function listUsers(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const after = rowId.catch(0).parse(visit.query.get('after'));
  const users = await db('users')
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE + 1)
    .select<Row[]>('id', 'name', 'email');
  const shown = users.slice(0, PAGE);
  const held = await db('roles')
    .leftJoin('groups', 'groups.id', 'roles.group_id')
    .whereIn(
      'user_id',
      shown.map(({ id }) => id),
    )
    .select<Held[]>('roles.*', 'groups.acronym');
  const groups = await db('groups').orderBy('acronym').select<Group[]>('id', 'acronym');
  const body = html`<div class="page-head"><h1>Accounts</h1></div>
    <ul class="rows">
      ${shown.map((user) =>
        row(
          visit,
          user,
          held.filter(({ user_id }) => user_id === user.id),
          groups,
        ),
      )}
    </ul>
    ${users.length > PAGE ? html`<nav class="pager" aria-label="Pages"><a class="btn btn-outline-primary" href="/admin/users/?after=${shown.at(-1)?.id}">Next page</a></nav>` : nothing}`;
  return page({ title: 'Accounts', body });
}

function row(visit: Visit, user: Row, held: Held[], groups: Group[]): Html {
  return html`<li>
    <div>
      <a class="fw-semibold" href="/person/${user.id}/">${user.name}</a>
      <span class="text-body-secondary">${user.email}</span><br />
      ${held.map((one) => heldRole(visit, user, one))}
    </div>
    <form class="inline-form" method="post" action="/admin/users/${user.id}/roles">
      ${csrfInput(visit)}<input type="hidden" name="act" value="grant" />
      <select class="form-select form-select-sm" name="role" aria-label="Role for ${user.name}">
        ${['author', 'member', 'chair', 'approver', 'administrator'].map((role) => html`<option>${role}</option>`)}
      </select>
      <select class="form-select form-select-sm" name="group" aria-label="Group for ${user.name}">
        <option value="">everywhere</option>
        ${groups.map(({ id, acronym }) => html`<option value="${id}">${acronym}</option>`)}
      </select>
      <button class="btn btn-sm btn-outline-primary">Grant</button>
    </form>
  </li>`;
}

function heldRole(visit: Visit, user: Row, { role, group_id, acronym }: Held): Html {
  const label = acronym === null ? role : `${role} of ${acronym}`;
  if (role === 'reader') return html`<span class="role">${label}</span>`;
  return html`<form class="role" method="post" action="/admin/users/${user.id}/roles">
    ${csrfInput(visit)}<input type="hidden" name="act" value="revoke" />
    <input type="hidden" name="role" value="${role}" /><input
      type="hidden"
      name="group"
      value="${group_id ?? ''}"
    />
    ${label} <button aria-label="Take the role ${label} from ${user.name}">×</button>
  </form>`;
}
