import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from '../../http.ts';
import { isRead } from './headers.ts';

/** What the front door itself answers; seconds in `retryAfter`. */
export interface Answer {
  status: number;
  title: string;
  detail: string;
  retryAfter?: number;
}

export const NOT_FOUND: Answer = { status: 404, title: 'Not found', detail: 'There is no such page.' };

export const TOO_LARGE: Answer = {
  status: 413,
  title: 'Too large',
  detail: 'What was sent is larger than this service takes.',
};

export const UNAVAILABLE: Answer = {
  status: 503,
  title: 'Back in a moment',
  detail: 'This service is being looked after. Nothing was changed: please try again shortly.',
  retryAfter: 5,
};

export const BAD_GATEWAY: Answer = {
  status: 502,
  title: 'No answer',
  detail:
    'The service ended while it was answering. If you sent something, check whether it arrived before you send it again.',
};

/** A page for people, a problem (RFC 9457) for programs. */
export function answer(request: IncomingMessage, response: ServerResponse, what: Answer): void {
  if (response.destroyed || response.headersSent) return void response.destroy();
  const html = (request.headers.accept ?? '').includes('text/html');
  const body = html ? page(what) : problem(what);
  response.writeHead(what.status, {
    'Content-Type': html ? 'text/html; charset=utf-8' : 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(what.retryAfter === undefined ? {} : { 'Retry-After': what.retryAfter }),
    // Reloads by itself, but not in place of a form that was sent.
    ...(html && what.retryAfter !== undefined && isRead(request) ? { Refresh: what.retryAfter } : {}),
  });
  response.end(body);
}

export function problem({ status, detail }: Answer): string {
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail });
}

export function page({ title, detail }: Answer): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1.125rem/1.6 system-ui, sans-serif; }
main { max-width: 32rem; padding: 2rem; border-left: 0.25rem solid #2f6fdb; }
h1 { margin: 0 0 0.5rem; font-size: 1.75rem; line-height: 1.2; }
p { margin: 0; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${detail}</p>
</main>
</body>
</html>
`;
}
