import { z } from 'zod';
import { localPath } from '../http/local-path.ts';
import { Problem } from '../http/problem.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { setCookie } from '../http/cookies.ts';
import { emailAddress, type FieldErrors } from '../http/text.ts';
import { write, type Visit } from '../http/visit.ts';
import { errorSummary, input } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { countAttempt, forgiveAttempt } from './attempts.ts';
import { verifyPassword } from './password.ts';
import { endSession, SESSION_SECONDS, startSession } from './sessions.ts';

export const loginRoutes: Route[] = [
  get('/login/', 'anyone', (visit) =>
    visit.user === null
      ? loginPage(visit, visit.query.get('next'))
      : redirect(localPath(visit.query.get('next'))),
  ),
  post('/login/', 'anyone', logIn),
  post('/logout/', 'anyone', logOut),
];

const credentials = z.object({ email: emailAddress, password: z.string().min(1).max(200) });

async function logIn(visit: Visit): Promise<Reply> {
  const { fields } = visit.form;
  const next = fields.get('next');
  const given = credentials.safeParse(Object.fromEntries(fields));
  if (!given.success) return wrong(visit, next);
  const { email, password } = given.data;
  const wait = await write(visit, (trx) => countAttempt(trx, email, visit.address, visit.services.clock()));
  if (wait !== null) {
    throw new Problem(429, 'There were too many attempts to log in. Please wait a few minutes.', {
      'Retry-After': String(wait),
    });
  }
  const account = await visit.services.database
    .read('users')
    .where({ email })
    .whereNull('disabled_at')
    .first<{ id: number; password_hash: string } | undefined>('id', 'password_hash');
  if (!(await verifyPassword(password, account?.password_hash ?? null)) || account === undefined)
    return wrong(visit, next);
  await write(visit, (trx) => forgiveAttempt(trx, email, visit.address));
  return redirect(localPath(next), [await signIn(visit, account.id)]);
}

/** Under a new session id, whatever the client came with. Resolves to the cookie to set. */
export async function signIn(visit: Visit, userId: number): Promise<string> {
  const now = visit.services.clock();
  const token = await write(visit, (trx) => startSession(trx, userId, visit.sessionToken, now));
  return setCookie('session', token, visit.secure, SESSION_SECONDS);
}

async function logOut(visit: Visit): Promise<Reply> {
  const { sessionToken } = visit;
  if (sessionToken !== null) await write(visit, (trx) => endSession(trx, sessionToken));
  return redirect('/', [setCookie('session', '', visit.secure, 0)]);
}

function wrong(visit: Visit, next: string | null): Reply {
  return loginPage(visit, next, { form: 'The address or the password is wrong.' });
}

function loginPage(visit: Visit, next: string | null, errors: FieldErrors = {}): Reply {
  const email = visit.form.fields.get('email') ?? '';
  const body = html`<div class="panel narrow">
    <h1>Log in</h1>
    ${errorSummary(errors)}
    <form method="post" action="/login/">
      ${csrfInput(visit)}<input type="hidden" name="next" value="${localPath(next)}" />
      ${input({ name: 'email', label: 'E-mail', type: 'email', value: email, autocomplete: 'username' })}
      ${input({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
      <button class="btn btn-primary w-100">Log in</button>
    </form>
    <p class="mt-3 mb-0">New here? <a href="/accounts/create/">Create an account</a>.</p>
  </div>`;
  return page({ title: 'Log in', body }, 'form' in errors ? 401 : 200);
}
