import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { HttpError } from './errors.ts';

/** Who may do what: the token for everything; on loopback, reading needs none. */
export interface Access {
  mayRead(request: Request): boolean;
  reading: RequestHandler;
  changing: RequestHandler;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** A proxy on this machine also connects from loopback, but says for whom. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

/** `url` is the deployer's public address: its host is a name that this machine may be called. */
export function createAccess(token: string, url: string): Access {
  const hosts = new Set(['localhost', '127.0.0.1', '[::1]', new URL(url).hostname]);
  const isLocal = (request: Request) =>
    fromLoopback(request) && !PROXY_HEADERS.some((name) => name in request.headers);
  const isNamed = (request: Request) => hosts.has(hostOf(request));
  const holdsToken = (request: Request) =>
    sameText(bearer(request), token) || sameText(basicPassword(request), token);
  const mayRead = (request: Request) => holdsToken(request) || (isLocal(request) && isNamed(request));

  return {
    mayRead,
    reading(request, response, next) {
      if (mayRead(request)) return next();
      // A page of a stranger whose name was re-bound to this machine must not read here.
      if (isLocal(request) && !isNamed(request))
        throw new HttpError(403, 'this host name is not served here');
      response.set('WWW-Authenticate', 'Bearer realm="deployer", Basic realm="deployer", charset="UTF-8"');
      throw new HttpError(401, 'reading from elsewhere than this machine needs the token');
    },
    changing(request, response, next) {
      // Only a bearer token: a browser sends that to nobody by itself.
      if (sameText(bearer(request), token)) return next();
      response.set('WWW-Authenticate', 'Bearer realm="deployer"');
      throw new HttpError(401, 'this needs `Authorization: Bearer` with the token of DEPLOYER_ADMIN_TOKEN');
    },
  };
}

function fromLoopback(request: Request): boolean {
  const address = request.socket.remoteAddress;
  return address !== undefined && loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function hostOf(request: Request): string {
  const url = `http://${request.headers.host ?? ''}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function bearer(request: Request): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** Browsers can read from elsewhere with the token as password, under any name. */
function basicPassword(request: Request): string {
  const encoded = /^Basic +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return password;
}

function sameText(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return wanted !== '' && timingSafeEqual(digest(given), digest(wanted));
}
