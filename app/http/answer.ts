import type { Request, Response } from 'express';
import { z } from 'zod';
import { findSessionUser } from '../accounts/sessions.ts';
import { holdsAny, type User } from '../accounts/users.ts';
import { EMPTY_FORM, readForm, readJson, type Form } from './body.ts';
import { assertOwnForm, csrfTokenFor } from './csrf.ts';
import { Problem, badRequest, forbidden } from './problem.ts';
import type { Received } from './receive.ts';
import { redirect, type Reply } from './reply.ts';
import type { Allow, Route } from './route.ts';
import { send } from './send.ts';
import type { Visit } from './visit.ts';

/** One request to one route: who is it, may they, what did they send, and the answer. */
export async function answer(
  route: Route,
  received: Received,
  request: Request,
  response: Response,
): Promise<void> {
  if (request.originalUrl.includes('%00')) throw badRequest('The address holds a NUL character.');
  if (route.path.startsWith('/_deploy/')) {
    const visit = { ...anonymous(received, request), json: await jsonOf(request, response) };
    return send(await route.handle(visit), visit, received, response);
  }
  if (route.method === 'get') {
    const visit = await identify(received, request);
    const reply = refusal(route.allow, visit) ?? (await route.handle(visit));
    return send(reply, visit, received, response);
  }
  return answerWrite(route, received, request, response);
}

async function answerWrite(
  route: Route,
  received: Received,
  request: Request,
  response: Response,
): Promise<void> {
  const { mode } = received.services;
  const visitor = await identify(received, request);
  const refused = refusal(route.allow, visitor);
  const form = await readForm(request, response, route.upload === true);
  assertOwnForm(request.headers, form.fields, visitor.csrfToken);
  if (refused !== null) return send(refused, visitor, received, response);
  // counted only now: a body that trickles in must not keep a deployment waiting
  const leave = mode.enter();
  if (leave === null) throw writesRefused();
  try {
    const visit = { ...visitor, form };
    const reply = await route.handle(visit);
    await send(reply, visit, received, response);
  } finally {
    leave();
  }
}

export function writesRefused(): Problem {
  return new Problem(503, 'A new version is being put in place. Please try again in a moment.', {
    'Retry-After': '5',
  });
}

async function identify(received: Received, request: Request): Promise<Visit> {
  const { services, sessionToken } = received;
  const user =
    sessionToken === null
      ? null
      : await findSessionUser(services.database.read, sessionToken, services.clock());
  return asVisit(received, request, user);
}

function anonymous(received: Received, request: Request): Visit {
  return asVisit(received, request, null);
}

function asVisit(received: Received, request: Request, user: User | null, form: Form = EMPTY_FORM): Visit {
  const { visitorToken, isNewVisitor: _, ...rest } = received;
  const sessionToken = user === null ? null : received.sessionToken;
  return {
    ...rest,
    params: namesAndValues.parse(request.params),
    headers: request.headers,
    form,
    json: undefined,
    user,
    sessionToken,
    csrfToken: csrfTokenFor(sessionToken ?? visitorToken),
  };
}

const namesAndValues = z.record(z.string(), z.string());

async function jsonOf(request: Request, response: Response): Promise<unknown> {
  return request.method === 'GET' || request.method === 'HEAD' ? undefined : readJson(request, response);
}

/** Null: come in. Somebody who is not signed in is asked to, if that can help. @throws {Problem} 403 */
function refusal(allow: Allow, visit: Visit): Reply | null {
  if (allow === 'anyone') return null;
  if (visit.user === null) return redirect(`/login/?next=${encodeURIComponent(visit.url)}`);
  if (allow === 'signed-in' || holdsAny(visit.user, allow)) return null;
  throw forbidden(`Only for ${allow.join(' or ')}s.`);
}
