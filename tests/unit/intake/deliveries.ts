import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer, type RequestListener } from 'node:http';
import express from 'express';
import type { Knex } from 'knex';
import { onTestFinished } from 'vitest';
import { intake } from '../../../deployer/intake/intake.ts';
import type { Named } from '../../../deployer/forge/types.ts';
import { Clock, scratchState, silent } from '../scratch.ts';

export const SECRET = 'the secret of the webhook';

export const sign = (body: string | Buffer, secret = SECRET) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** The headers of GitHub for a body. */
export function headersOf(body: string | Buffer, more: Record<string, string> = {}): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'GitHub-Hookshot/044aadd',
    'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'X-GitHub-Event': 'push',
    'X-Hub-Signature-256': sign(body),
    ...more,
  };
}

export const PUSH = JSON.stringify({
  ref: 'refs/heads/dev',
  before: '0'.repeat(40),
  after: 'a'.repeat(40),
  repository: { id: 1, full_name: 'owner/name', default_branch: 'main' },
  pusher: { name: 'octocat', email: null },
  head_commit: { id: 'a'.repeat(40), message: 'Zażółć gęślą jaźń 🚀\n\nbody' },
});

/** A server that answers deliveries as the deployer's does, over a state of its own. */
export async function receiving(
  options: { secrets?: string[]; state?: Knex; owns?: (repository: Named) => boolean } = {},
) {
  const state = options.state ?? (await scratchState());
  const looks: string[] = [];
  const app = express();
  app.post(
    '/webhooks/github',
    intake({
      state,
      secrets: options.secrets ?? [SECRET],
      owns: options.owns,
      onDelivery: (look) => looks.push(look),
      clock: new Clock().read,
      logger: silent,
    }),
  );
  const { port } = await listening(app);
  const url = `http://127.0.0.1:${port}/webhooks/github`;

  async function post(body: string | Buffer<ArrayBuffer>, headers = headersOf(body)) {
    const response = await fetch(url, { method: 'POST', body, headers });
    const answer: { detail?: string; stored?: string; ignored?: string } = JSON.parse(await response.text());
    return { status: response.status, type: response.headers.get('content-type'), answer };
  }
  return { state, looks, port, url, post, events: () => state('events').orderBy('id') };
}

/** A connection on which the head of a request was sent, and nothing of its body yet. */
export async function begin(port: number, headers: Record<string, string>): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`);
  socket.write(['POST /webhooks/github HTTP/1.1', ...lines, '', ''].join('\r\n'));
  return socket;
}

/** Sends all of a body, whatever comes back meanwhile, and only then reads: the rudest client that is still correct. */
export async function sendWhole(
  port: number,
  headers: Record<string, string>,
  pieces: Iterable<Buffer>,
): Promise<{ status: number; body: string }> {
  const socket = await begin(port, { ...headers, Connection: 'close' });
  const chunked = 'Transfer-Encoding' in headers;
  for (const piece of pieces) {
    if (chunked) socket.write(`${piece.length.toString(16)}\r\n`);
    if (!socket.write(piece)) await once(socket, 'drain');
    if (chunked) socket.write('\r\n');
  }
  if (chunked) socket.write('0\r\n\r\n');
  const [head = '', ...body] = (await text(socket)).split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), body: body.join('') };
}

async function listening(app: RequestListener): Promise<{ port: number }> {
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return { port: address.port };
}
