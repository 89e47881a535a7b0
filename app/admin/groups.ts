import { z } from 'zod';
import { timestamp } from '../clock.ts';
import { isUniqueViolation } from '../database/sqlite.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { fieldErrors, line, paragraphs, type FieldErrors } from '../http/text.ts';
import { write, type Visit } from '../http/visit.ts';
import { errorSummary, input, textarea } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';

export const adminGroupRoutes: Route[] = [
  get('/admin/groups/', ['administrator'], (visit) => groupForm(visit)),
  post('/admin/groups/', ['administrator'], createGroup),
];

const newGroup = z.object({
  acronym: line(20).refine(
    (text) => /^[a-z][a-z0-9-]*$/.test(text),
    'is lower-case letters, digits and hyphens',
  ),
  name: line(100),
  charter: paragraphs(5000, 0),
});

async function createGroup(visit: Visit): Promise<Reply> {
  const given = newGroup.safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return groupForm(visit, fieldErrors(given.error));
  try {
    await write(visit, (trx) =>
      trx('groups').insert({ ...given.data, created_at: timestamp(visit.services.clock()) }),
    );
  } catch (error) {
    if (isUniqueViolation(error)) return groupForm(visit, { acronym: 'is taken' });
    throw error;
  }
  return redirect(`/group/${given.data.acronym}/`);
}

function groupForm(visit: Visit, errors: FieldErrors = {}): Reply {
  const value = (name: string): string => visit.form.fields.get(name) ?? '';
  const body = html`<div class="page-head"><h1>Charter a group</h1></div>
    ${errorSummary(errors)}
    <form class="panel" method="post" action="/admin/groups/">
      ${csrfInput(visit)}
      ${input({ name: 'acronym', label: 'Acronym', value: value('acronym'), maxlength: 20 }, errors)}
      ${input({ name: 'name', label: 'Name', value: value('name'), maxlength: 100 }, errors)}
      ${textarea({ name: 'charter', label: 'Charter', value: value('charter'), required: false }, errors)}
      <button class="btn btn-primary">Create group</button>
    </form>`;
  return page({ title: 'Charter a group', body }, Object.keys(errors).length === 0 ? 200 : 422);
}
