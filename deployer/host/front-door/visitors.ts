import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServer } from '../../http.ts';
import { hasBody } from './headers.ts';
import { proxy } from './proxy.ts';
import type { Traffic } from '../sluice/traffic.ts';
import { isWebSocket, upgrade } from './upgrade.ts';
import { Uploads } from './uploads.ts';

/** Milliseconds. */
const HEADERS_WITHIN = 20_000;
const HEADERS_LOOK = 5000;
const KEEP_ALIVE = 65_000;
const DRAIN = 3000;

export interface Visitors {
  server: Server;
  /** Stops accepting, ends WebSockets, lets requests end for at most 3 s. */
  close(): Promise<void>;
}

interface Options {
  directory: string;
  traffic: Traffic;
  uploadIdleMs: number;
  log: (line: string) => void;
}

/** The HTTP server for everybody. */
export function visitors({ directory, traffic, uploadIdleMs, log }: Options): Visitors {
  const uploads = new Uploads(uploadIdleMs);
  /** Which the server itself forgets. */
  const webSockets = new Set<Duplex>();
  /** The last request of each connection, until it is answered. */
  const answered = new WeakMap<Duplex, Promise<void>>();
  /** Requests that were sent one right after the other go on one after the other: RFC 9112, 9.3.2. */
  const inTurn = async (request: IncomingMessage, response: ServerResponse) => {
    const before = answered.get(request.socket);
    answered.set(request.socket, new Promise((resolve) => response.once('close', () => resolve())));
    await before;
    await proxy(directory, traffic, request, response);
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    if (hasBody(request)) uploads.add(request);
    inTurn(request, response).catch((error: unknown) => {
      log(`a request failed: ${String(error)}`);
      response.destroy();
    });
  };
  const server = createServer(
    {
      headersTimeout: HEADERS_WITHIN,
      connectionsCheckingInterval: HEADERS_LOOK,
      // A held write may take as long as its hold; idle uploads are cut off one by one.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE,
      shouldUpgradeCallback: isWebSocket,
    },
    handle,
  );
  // All or none: the size of a head is limited to 16 KB anyway, and a dropped header could be the body's length.
  server.maxHeadersCount = 0;
  server.on('checkContinue', handle);
  server.on('upgrade', (request, socket, head) => {
    traffic.requests += 1;
    webSockets.add(socket);
    socket.once('close', () => webSockets.delete(socket));
    upgrade(directory, request, socket, head).catch((error: unknown) => {
      log(`an upgrade failed: ${String(error)}`);
      socket.destroy();
    });
  });
  return {
    server,
    async close() {
      uploads.close();
      for (const socket of webSockets) socket.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(timer);
    },
  };
}
