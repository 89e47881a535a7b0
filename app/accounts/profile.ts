import { z } from 'zod';
import { setCookie } from '../http/cookies.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { fieldErrors, line, paragraphs, personName, type FieldErrors } from '../http/text.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { errorSummary, input, textarea } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { newPassword } from './register.ts';
import { endAllSessions, SESSION_SECONDS, startSession } from './sessions.ts';

export const profileRoutes: Route[] = [
  get('/accounts/profile/', 'signed-in', (visit) => profilePage(visit)),
  post('/accounts/profile/', 'signed-in', saveProfile),
  post('/accounts/profile/password/', 'signed-in', changePassword),
];

const profile = z.object({ name: personName, affiliation: line(100, 0), biography: paragraphs(2000, 0) });

type Profile = z.infer<typeof profile>;

async function saveProfile(visit: Visit): Promise<Reply> {
  const given = profile.safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return profilePage(visit, fieldErrors(given.error));
  await write(visit, (trx) =>
    trx('users')
      .where({ id: signedIn(visit).id })
      .update(given.data),
  );
  return redirect('/accounts/profile/?saved');
}

const passwords = z.object({ old_password: z.string().max(200), password: newPassword });

async function changePassword(visit: Visit): Promise<Reply> {
  const user = signedIn(visit);
  const given = passwords.safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return profilePage(visit, fieldErrors(given.error));
  const account = await visit.services.database
    .read('users')
    .where({ id: user.id })
    .first<{ password_hash: string } | undefined>('password_hash');
  if (!(await verifyPassword(given.data.old_password, account?.password_hash ?? null))) {
    return profilePage(visit, { old_password: 'is wrong' });
  }
  const hash = await hashPassword(given.data.password);
  const token = await write(visit, async (trx) => {
    await trx('users').where({ id: user.id }).update({ password_hash: hash });
    await endAllSessions(trx, user.id);
    return startSession(trx, user.id, null, visit.services.clock());
  });
  return redirect('/accounts/profile/?saved', [setCookie('session', token, visit.secure, SESSION_SECONDS)]);
}

async function profilePage(visit: Visit, errors: FieldErrors = {}): Promise<Reply> {
  const user = signedIn(visit);
  const stored = await visit.services.database
    .read('users')
    .where({ id: user.id })
    .first<Profile>('name', 'affiliation', 'biography');
  const value = (name: keyof Profile): string => visit.form.fields.get(name) ?? stored[name];
  const roles = [...new Set(user.roles.map(({ role }) => role))];
  const body = html`<div class="page-head">
      <h1>Your profile</h1>
      <a href="/person/${user.id}/">Public page</a>
    </div>
    ${visit.query.has('saved') ? html`<div class="alert alert-success" role="status">Saved.</div>` : ''}
    ${errorSummary(errors)}
    <div class="columns">
      <form class="panel" method="post" action="/accounts/profile/">
        <h2 class="h5">About you</h2>
        ${csrfInput(visit)}
        ${input({ name: 'name', label: 'Name', value: value('name'), autocomplete: 'name', maxlength: 100 }, errors)}
        ${input({ name: 'affiliation', label: 'Affiliation', value: value('affiliation'), required: false, maxlength: 100 }, errors)}
        ${textarea({ name: 'biography', label: 'Biography', value: value('biography'), required: false }, errors)}
        <button class="btn btn-primary">Save</button>
      </form>
      <div>
        <div class="panel mb-4">
          <h2 class="h5">Roles</h2>
          <p>${user.email}</p>
          <p class="mb-0">${roles.map((role) => html`<span class="role">${role}</span> `)}</p>
        </div>
        <form class="panel" method="post" action="/accounts/profile/password/">
          <h2 class="h5">Change password</h2>
          ${csrfInput(visit)}
          ${input({ name: 'old_password', label: 'Present password', type: 'password', autocomplete: 'current-password' }, errors)}
          ${input({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters. Everywhere else you are logged out.' }, errors)}
          <button class="btn btn-outline-primary">Change password</button>
        </form>
      </div>
    </div>`;
  return page({ title: 'Your profile', body }, Object.keys(errors).length === 0 ? 200 : 422);
}
