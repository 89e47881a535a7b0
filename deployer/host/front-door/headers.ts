import type { IncomingMessage } from 'node:http';

/** For this connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
];
/** What a client says about itself is not what the front door has seen. */
const FORWARDED = /^(forwarded|x-forwarded-.*|x-real-ip)$/;
/** Without these a message would mean something else; no `Connection` header removes them. */
const ESSENTIAL = ['content-length', 'host'];

/** Reads are never held; any other method is a write. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

export function isChunked(message: IncomingMessage): boolean {
  return message.headers['transfer-encoding'] !== undefined;
}

export function hasBody(message: IncomingMessage): boolean {
  return isChunked(message) || (message.headers['content-length'] ?? '0') !== '0';
}

/** The client's headers as the instance shall see them, names and values in turn. */
export function requestHeaders(request: IncomingMessage): string[] {
  const headers = endToEnd(request).filter(([name]) => !FORWARDED.test(name.toLowerCase()));
  headers.push(['X-Forwarded-For', request.socket.remoteAddress ?? 'unknown'], ['X-Forwarded-Proto', 'http']);
  if (request.headers.host !== undefined) headers.push(['X-Forwarded-Host', request.headers.host]);
  if (isChunked(request)) headers.push(['Transfer-Encoding', 'chunked']);
  return headers.flat();
}

/** The instance's headers as the client shall see them, names and values in turn. */
export function responseHeaders(response: IncomingMessage): string[] {
  return endToEnd(response).flat();
}

export function trailers(message: IncomingMessage): [string, string][] {
  return pairs(message.rawTrailers);
}

function endToEnd(message: IncomingMessage): [string, string][] {
  const named = (message.headers.connection ?? '').toLowerCase().split(/[\s,]+/);
  const dropped = new Set([...HOP_BY_HOP, ...named.filter((name) => !ESSENTIAL.includes(name))]);
  return pairs(message.rawHeaders).filter(([name]) => !dropped.has(name.toLowerCase()));
}

function pairs(raw: string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return found;
}
