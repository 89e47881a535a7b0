import type { Request } from 'express';
import { newToken } from '../accounts/sessions.ts';
import { cookieName, parseCookies } from './cookies.ts';
import type { Services, Theme } from './visit.ts';

/** A request before anybody looked who sent it: nothing here has touched the database. */
export interface Received {
  services: Services;
  requestId: string;
  url: string;
  query: URLSearchParams;
  address: string;
  secure: boolean;
  theme: Theme;
  sessionToken: string | null;
  /** The secret that the form tokens of somebody who is not signed in come from. */
  visitorToken: string;
  isNewVisitor: boolean;
  routes: () => { method: string; path: string }[];
}

export function receive(
  services: Services,
  request: Request,
  requestId: string,
  routes: Received['routes'],
): Received {
  const cookies = parseCookies(request.headers.cookie);
  const secure = firstOf(request.headers['x-forwarded-proto']) === 'https';
  const visitorToken = cookies.get(cookieName('visitor', secure)) ?? '';
  const isNewVisitor = visitorToken.length < 43;
  return {
    services,
    requestId,
    url: request.originalUrl,
    query: new URLSearchParams(request.originalUrl.split('?').slice(1).join('?')),
    address: clientAddress(request),
    secure,
    theme: parseTheme(cookies.get(cookieName('theme', secure))),
    sessionToken: cookies.get(cookieName('session', secure)) ?? null,
    visitorToken: isNewVisitor ? newToken() : visitorToken,
    isNewVisitor,
    routes,
  };
}

export function parseTheme(text: string | null | undefined): Theme {
  return text === 'light' || text === 'dark' ? text : 'auto';
}

/** On the Unix socket the only peer is the front door, so what it says is believed; on TCP nobody is. */
function clientAddress(request: Request): string {
  const { remoteAddress } = request.socket;
  if (remoteAddress !== undefined) return remoteAddress;
  return firstOf(request.headers['x-forwarded-for'])?.split(',').at(-1)?.trim() ?? 'local';
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
