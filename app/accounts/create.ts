import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { fieldErrors, type FieldErrors } from '../http/text.ts';
import { write, type Visit } from '../http/visit.ts';
import { errorSummary, input } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { signIn } from './login.ts';
import { hashPassword } from './password.ts';
import { createUser, registration } from './register.ts';

export const createRoutes: Route[] = [
  get('/accounts/create/', 'anyone', (visit) =>
    visit.user === null ? registrationPage(visit) : redirect('/accounts/profile/'),
  ),
  post('/accounts/create/', 'anyone', register),
];

async function register(visit: Visit): Promise<Reply> {
  const given = registration.safeParse(Object.fromEntries(visit.form.fields));
  if (!given.success) return registrationPage(visit, fieldErrors(given.error));
  const { name, email, password } = given.data;
  const passwordHash = await hashPassword(password);
  const now = visit.services.clock();
  const id = await write(visit, (trx) => createUser(trx, { name, email, passwordHash }, now));
  if (id === null) return registrationPage(visit, { email: 'has an account already' });
  return redirect('/accounts/profile/', [await signIn(visit, id)]);
}

function registrationPage(visit: Visit, errors: FieldErrors = {}): Reply {
  const value = (name: string): string => visit.form.fields.get(name) ?? '';
  const body = html`<div class="panel narrow">
    <h1>Create an account</h1>
    <p class="text-body-secondary">
      Everything can be read without one. You need it to comment and to submit drafts.
    </p>
    ${errorSummary(errors)}
    <form method="post" action="/accounts/create/">
      ${csrfInput(visit)}
      ${input({ name: 'name', label: 'Name', value: value('name'), autocomplete: 'name', maxlength: 100, hint: 'Shown beside what you write.' }, errors)}
      ${input({ name: 'email', label: 'E-mail', type: 'email', value: value('email'), autocomplete: 'username', hint: 'Never shown to other people, unless you name it as an author.' }, errors)}
      ${input({ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters.' }, errors)}
      <button class="btn btn-primary w-100">Create account</button>
    </form>
    <p class="mt-3 mb-0">Already registered? <a href="/login/">Log in</a>.</p>
  </div>`;
  return page({ title: 'Create an account', body }, Object.keys(errors).length === 0 ? 200 : 422);
}
