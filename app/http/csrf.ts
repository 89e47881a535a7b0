import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { forbidden } from './problem.ts';

/** The field that carries the token in every form. */
export const CSRF_FIELD = 'csrf';

/** Derived from the secret in the visitor's cookie, which a page of another site can neither read nor set. */
export function csrfTokenFor(secret: string): string {
  return createHmac('sha256', secret).update('csrf').digest('base64url');
}

/** @throws {Problem} 403 when the form did not come from a page of ours */
export function assertOwnForm(headers: IncomingHttpHeaders, fields: URLSearchParams, expected: string): void {
  const site = headers['sec-fetch-site'];
  const foreign = typeof site === 'string' && site !== 'same-origin' && site !== 'none';
  if (foreign || isForeignOrigin(headers) || !sameText(fields.get(CSRF_FIELD) ?? '', expected)) {
    throw forbidden(
      'This form has expired or was sent from another site. Go back, reload the page and try again.',
    );
  }
}

function isForeignOrigin(headers: IncomingHttpHeaders): boolean {
  if (headers.origin === undefined) return false;
  const host = URL.canParse(headers.origin) ? new URL(headers.origin).host : null;
  // a proxy that rewrites Host says which one was asked for; a page of another site can set neither
  return host !== headers.host && host !== headers['x-forwarded-host'];
}

function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
