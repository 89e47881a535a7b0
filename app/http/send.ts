import type { Response } from 'express';
import { layout } from '../pages/layout.ts';
import { problemPage } from '../pages/problem-page.ts';
import { SESSION_SECONDS } from '../accounts/sessions.ts';
import { csrfTokenFor } from './csrf.ts';
import { setCookie } from './cookies.ts';
import { Problem } from './problem.ts';
import type { Received } from './receive.ts';
import type { Reply } from './reply.ts';
import { EMPTY_FORM } from './body.ts';
import type { Visit } from './visit.ts';

const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export async function send(
  reply: Reply,
  visit: Visit,
  received: Received,
  response: Response,
): Promise<void> {
  response.set(SECURITY_HEADERS);
  if (reply.kind === 'asset') return sendAsset(reply, response);
  response.set('Cache-Control', 'private, no-cache');
  switch (reply.kind) {
    case 'page':
      if (received.isNewVisitor) response.append('Set-Cookie', visitorCookie(received));
      response
        .status(reply.status)
        .type('html')
        .send(String(await layout(visit, reply.page)));
      return;
    case 'redirect':
      for (const cookie of reply.cookies) response.append('Set-Cookie', cookie);
      response.redirect(reply.status, reply.to);
      return;
    case 'json':
      response.status(reply.status).json(reply.value);
      return;
    case 'text':
      response.type(reply.type).send(reply.text);
      return;
    case 'bytes':
      response.attachment(reply.filename);
      if (reply.disposition === 'inline') response.removeHeader('Content-Disposition');
      response.type(reply.type).send(reply.bytes);
      return;
    case 'empty':
      response.status(reply.status).end();
  }
}

/** A page for people, JSON for programs. What is not a Problem is our fault: logged whole, shown as a number to quote. */
export async function sendProblem(error: unknown, received: Received, response: Response): Promise<void> {
  const problem = asProblem(error);
  const { requestId, services } = received;
  if (problem.status === 500) services.log.error({ requestId, err: error }, 'failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.set(problem.headers);
  const visit = nobody(received);
  const reply: Reply = received.url.startsWith('/_deploy/')
    ? { kind: 'json', value: { error: problem.message }, status: problem.status }
    : { kind: 'page', page: problemPage(problem, requestId), status: problem.status };
  await send(reply, visit, received, response);
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof URIError) return new Problem(400, 'The address is malformed.');
  return new Problem(500, 'Something went wrong on our side. Nothing of what you sent was kept.');
}

/** An error page needs no database, which may be what failed. */
function nobody(received: Received): Visit {
  const { visitorToken, isNewVisitor: _, ...rest } = received;
  const csrfToken = csrfTokenFor(received.sessionToken ?? visitorToken);
  return { ...rest, params: {}, headers: {}, form: EMPTY_FORM, json: undefined, user: null, csrfToken };
}

function visitorCookie(received: Received): string {
  return setCookie('visitor', received.visitorToken, received.secure, SESSION_SECONDS);
}

/** Any other address may have another content in the next release, or an earlier one: it is asked again whether it has. */
function sendAsset(
  { file, version, isForGood }: Extract<Reply, { kind: 'asset' }>,
  response: Response,
): Promise<void> {
  response.set('Cache-Control', isForGood ? 'public, max-age=31536000, immutable' : 'public, no-cache');
  // Weak: the front door compresses it. When a file was made says nothing, since going back makes it older.
  response.set('ETag', `W/"${version}"`);
  const options = { cacheControl: false, etag: false, lastModified: false, dotfiles: 'allow' } as const;
  return new Promise((resolve, reject) => {
    response.sendFile(file, options, (error?: Error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
