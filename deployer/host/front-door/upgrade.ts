import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { request as httpRequest, STATUS_CODES } from '../../http.ts';
import { dial } from '../sluice/dial.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { isHidden, originForm } from './hidden.ts';

/** A WebSocket's handshake; any other `Upgrade` is ignored, as RFC 9110 allows. */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Takes the handshake to the live instance. Only once that has agreed are bytes passed on unread:
 * before, the client could smuggle a request past the front door.
 */
export async function upgrade(
  directory: string,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  client.on('error', () => client.destroy());
  if (isHidden(request.url ?? '/')) return refuse(client, 404);
  const socket = await dial(directory, 'live.sock', { gaveUp: () => client.destroyed });
  if (socket === null) return refuse(client, 503);
  client.once('close', () => socket.destroy());
  if (client.destroyed) return void socket.destroy();
  const upstream = httpRequest({
    createConnection: () => socket,
    path: originForm(request.url ?? '/'),
    headers: [...requestHeaders(request), 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
  });
  upstream.on('error', () => refuse(client, 502));
  upstream.on('response', (answer) => {
    client.write(headOf(answer, ['Connection', 'close']));
    answer.on('error', () => client.destroy());
    answer.pipe(client);
  });
  upstream.on('upgrade', (answer, instance, first: Buffer) => {
    client.write(headOf(answer, ['Connection', 'Upgrade', 'Upgrade', 'websocket']));
    client.write(first);
    instance.write(head);
    instance.on('error', () => client.destroy());
    instance.once('close', () => client.destroy());
    client.pipe(instance);
    instance.pipe(client);
  });
  upstream.end();
}

function headOf(answer: IncomingMessage, connection: string[]): string {
  const raw = [...responseHeaders(answer), ...connection];
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function refuse(client: Duplex, status: number): void {
  if (client.writable) {
    const retry = status === 503 ? 'Retry-After: 5\r\n' : '';
    client.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${retry}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  }
  client.resume();
}
