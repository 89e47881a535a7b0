import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dial } from './dial.ts';
import { SLUICE } from './links.ts';
import { listening } from './ownership.ts';
import type { Traffic } from './traffic.ts';

const CAPACITY = 4096;
/** Of what waits so many go on together, or a hundredth of it where that is more, and the next once they have ended ... */
const TOGETHER = 8;
/** ... or so many milliseconds after they have reached the instance: who is slow there keeps nobody else waiting. */
const STEP_MS = 10;
/** Milliseconds that a refused client may go on sending before it is cut off. */
const FAREWELL = 10_000;
/** Tells the front door, and whoever debugs another proxy, that no instance has seen the request. */
export const NOT_EXECUTED_HEADER = 'x-not-executed';

/**
 * Where `write.sock` points to during a hold. It knows connections and bytes, not requests, so that any HTTP proxy
 * may stand before it; that proxy must use a connection for one request only.
 */
export interface Sluice {
  /** From now on connections wait, unread, each at most `limitMs`: then it is answered 503 and never executed. */
  shut(limitMs: number): void;
  /**
   * Each waiting connection goes on to what is live then, and so does each that still comes. A few at a time: let go all at
   * once, they would keep whoever reads waiting behind them.
   */
  open(): void;
  /** Connections that wait. */
  readonly held: number;
  close(): Promise<void>;
}

interface Flow {
  /** Whether there was an instance. */
  reached: Promise<boolean>;
  ended: Promise<void>;
}

/**
 * Listens on `sluice.sock`; starts open. While `capacity` connections wait, one more is answered 503 at once.
 * What goes on to an instance counts in `traffic` as a write there until it has ended.
 */
export async function openSluice(
  directory: string,
  traffic: Pick<Traffic, 'begin'>,
  { capacity = CAPACITY, stepMs = STEP_MS } = {},
): Promise<Sluice> {
  const waiting = new Map<Socket, NodeJS.Timeout>();
  let limit: number | null = null;

  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    // What fails here is the proxy's connection; 'close' follows and is what counts.
    client.on('error', () => undefined);
    if (limit === null) flow(client);
    else if (waiting.size >= capacity) refuse(client);
    else waiting.set(client, setTimeout(expire, limit, client));
  });

  function expire(client: Socket): void {
    waiting.delete(client);
    refuse(client);
  }

  function flow(client: Socket): Flow {
    const reached = reach();
    const ended = reached.then((instance) => (instance === null ? refuse(client) : splice(client, instance)));
    return { reached: reached.then((instance) => instance !== null), ended };
  }

  async function reach(): Promise<Socket | null> {
    // Also while it finds nobody: the next hold must not begin under it.
    const dialled = traffic.begin(SLUICE);
    const track = (socket: string) => traffic.begin(socket);
    const instance = await dial(directory, 'live.sock', { track }).catch(() => null);
    dialled();
    return instance;
  }

  /** Those who have waited longest. */
  function letGo(count: number): Flow[] {
    return [...waiting.entries().take(count)].map(([client, timer]) => {
      clearTimeout(timer);
      waiting.delete(client);
      return flow(client);
    });
  }

  const isOpen = () => limit === null;

  /**
   * Until nobody waits, or the next hold begins. An instance whose queue is full is dialled by those alone who go on
   * together: all at once would keep it busy with turning them away. Once it cannot be reached at all, nobody waits for
   * those before him to find that out.
   */
  async function drain(): Promise<void> {
    for (let isThere = true; isOpen() && waiting.size > 0;) {
      const flows = letGo(Math.max(TOGETHER, Math.ceil(waiting.size / 100)));
      const ended = Promise.all(flows.map((one) => one.ended));
      const reached = Promise.all(flows.map((one) => one.reached)).then((all) => all.every(Boolean));
      if (isThere) isThere = await reached;
      await Promise.race([ended, sleep(stepMs)]);
    }
  }

  rmSync(join(directory, SLUICE), { force: true });
  const path = join(directory, SLUICE);
  await listening(server, { path });
  // The web server dials it as another user, of the group of the directory that both may enter.
  chmodSync(path, 0o660);

  return {
    shut: (limitMs) => (limit = limitMs),
    open() {
      limit = null;
      void drain();
    },
    get held() {
      return waiting.size;
    },
    close() {
      if (isOpen()) letGo(waiting.size);
      for (const [client, timer] of waiting) {
        clearTimeout(timer);
        refuse(client);
      }
      waiting.clear();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/**
 * Both ways, half-closes included. When the proxy is gone the instance still finishes what it has begun. Resolves once
 * the proxy has its answer, or is gone.
 */
async function splice(client: Socket, instance: Socket): Promise<void> {
  client.pipe(instance);
  instance.pipe(client);
  instance.once('error', () => client.destroy());
  client.once('close', () => {
    instance.unpipe(client);
    instance.end();
    instance.resume();
  });
  if (!client.destroyed) await new Promise((resolve) => client.once('close', resolve));
}

const REFUSAL = [
  'HTTP/1.1 503 Service Unavailable',
  'Content-Type: application/problem+json',
  'Retry-After: 5',
  'Connection: close',
  `${NOT_EXECUTED_HEADER}: held-too-long`,
];
const REFUSAL_BODY = JSON.stringify({
  title: 'Service Unavailable',
  status: 503,
  detail: 'A deployment is under way. Nothing was changed: try again.',
});

/** Reads on after the answer: closing with unread bytes would reset the connection, and the answer would be lost. */
function refuse(client: Socket): void {
  client.end([...REFUSAL, `Content-Length: ${REFUSAL_BODY.length}`, '', REFUSAL_BODY].join('\r\n'));
  client.resume();
  const timer = setTimeout(() => client.destroy(), FAREWELL);
  client.once('close', () => clearTimeout(timer));
}
