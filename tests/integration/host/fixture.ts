import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  request,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { embeddedFrontDoor } from '../../../deployer/host/front-door/client.ts';
import { serve, type FrontDoorProcess } from '../../../deployer/host/front-door/server.ts';
import { startedWith } from '../../../deployer/host/proc.ts';
import { processManager } from '../../../deployer/host/process.ts';
import { runDirectory } from '../../../deployer/host/run-directory.ts';
import { openStarter } from '../../../deployer/host/starter/client.ts';
import type { FrontDoor } from '../../../deployer/host/types.ts';
import { webServerFrontDoor } from '../../../deployer/host/web-server/front-door.ts';
import { siteOf, type WebServer } from '../../../deployer/host/web-server/site.ts';
import { isInstalled, startWebServer, type RunningWebServer } from '../../kit/web-server.ts';

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  ms = 60_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(5);
  }
}

export async function freeListen(): Promise<string> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

export function sha(body: Buffer | string): string {
  return createHash('sha256').update(body).digest('hex');
}

export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export interface TestInstance {
  server: Server;
  /** Ids (`x-id`) of writes as they were executed. */
  executed: string[];
  /** Requests as they came in. */
  seen: IncomingMessage[];
  /** What was put to `/_deploy/mode`. */
  modes: string[];
  /** Its answers to that wait for this. */
  modeGate: Promise<void>;
  /** Writes wait for this before they are answered. */
  gate: Promise<void>;
  close(): Promise<void>;
}

/** An application that answers who it is, which request it answers and the digest of its body. */
export async function startInstance(
  directory: string,
  name: string,
  custom?: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<TestInstance> {
  const server = createServer((incoming, response) => {
    if (incoming.url === '/_deploy/mode') {
      void setMode(incoming, response);
      return;
    }
    instance.seen.push(incoming);
    if (custom?.(incoming, response)) return;
    execute(incoming, response).catch(() => response.destroy());
  });
  async function setMode(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    instance.modes.push(String(await bodyOf(incoming)));
    await instance.modeGate;
    response.writeHead(204).end();
  }
  async function execute(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const id = String(incoming.headers['x-id'] ?? '');
    if (incoming.method !== 'GET') {
      await instance.gate;
      instance.executed.push(id);
    }
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ name, id, digest: sha(body), url: incoming.url }));
  }
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  rmSync(join(directory, `${name}.sock`), { force: true });
  await new Promise<void>((resolve) => server.listen(join(directory, `${name}.sock`), resolve));
  const instance: TestInstance = {
    server,
    executed: [],
    seen: [],
    modes: [],
    modeGate: Promise.resolve(),
    gate: Promise.resolve(),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  onTestFinished(() => instance.close());
  return instance;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  message: IncomingMessage;
}

/** Options of a request that has a connection of its own. */
export function addressOf(listen: string) {
  const [host, port] = listen.split(':');
  return { host, port, agent: false as const };
}

/** One request to a front door; `body` is sent with its length. */
export function send(
  listen: string,
  options: Omit<RequestOptions, 'headers'> & { headers?: OutgoingHttpHeaders } = {},
  body?: Buffer | string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const call = request(
      { ...addressOf(listen), ...options, headers: { ...length, ...options.headers } },
      (message) => {
        bodyOf(message).then(
          (bytes) =>
            resolve({
              status: message.statusCode ?? 0,
              headers: message.headers,
              text: bytes.toString(),
              message,
            }),
          reject,
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

export interface House {
  home: string;
  directory: string;
  listen: string;
  door: FrontDoor;
}

/** A home without a front door; whichever process is started for it is stopped afterwards. */
export async function emptyHouse(): Promise<House> {
  const home = scratch();
  const run = runDirectory(home, {});
  const door = embeddedFrontDoor({ home, runDirectory: run, services: processManager() });
  return { home, directory: run.of('dev'), listen: await freeListen(), door };
}

/** A front door in a process of its own. */
export async function realHouse(): Promise<House> {
  const house = await emptyHouse();
  onTestFinished(() => house.door.stop('dev'));
  await house.door.ensure('dev', house.listen);
  return house;
}

/** A front door within this process, which the client finds as it would find any that runs. */
export async function localHouse(
  uploadIdleMs = 60_000,
): Promise<House & { server: FrontDoorProcess; log: string[] }> {
  const house = await emptyHouse();
  const log: string[] = [];
  const { listen, directory } = house;
  const server = await serve({ listen, directory, uploadIdleMs, log: (line) => log.push(line) });
  onTestFinished(() => server.close());
  return { ...house, server, log };
}

/** What has to hold whether this process starts programs itself or the starter does it for it. */
export function hereAndByTheStarter(tests: () => void): void {
  describe('in this process', () => {
    tests();
  });
  describe('by the starter', () => {
    let close: () => Promise<void>;
    beforeAll(() => void (close = openStarter()));
    afterAll(() => close());
    tests();
  });
}

export type Kind = 'embedded' | WebServer;

/** What has to hold whatever the front door is. */
export function behindEach(tests: (kind: Kind) => void): void {
  describe('behind the embedded front door', () => {
    tests('embedded');
  });
  for (const server of ['caddy', 'nginx'] as const) {
    const missing = isInstalled(server) ? '' : ` (skipped: ${server} is not installed)`;
    describe.skipIf(missing !== '')(`behind ${server}${missing}`, () => {
      tests(server);
    });
  }
}

/** A house with a front door of that kind. */
export async function houseBehind(kind: Kind): Promise<House> {
  return kind === 'embedded' ? localHouse() : webServerHouse(kind);
}

export async function webServerHouse(kind: WebServer): Promise<House & { server: RunningWebServer }> {
  const house = await emptyHouse();
  const { home, directory, listen } = house;
  const services = processManager();
  const edges = { home, services, runDirectory: runDirectory(home, {}) };
  const server = await startWebServer(kind, home, [siteOf(edges, { name: 'dev', listen })]);
  const door = webServerFrontDoor(edges);
  onTestFinished(async () => {
    await server.kill();
    const sluices = startedWith('LISTEN', join(directory, 'control.sock'));
    await Promise.all(sluices.map((handle) => services.stop(handle, 0)));
  });
  await door.ensure('dev', listen);
  return { ...house, door, server };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A house with an instance that is live. */
export async function serving(kind: Kind, handler?: Handler) {
  const house = await houseBehind(kind);
  const blue = await startInstance(house.directory, 'blue', handler);
  await house.door.point('dev', 'blue.sock');
  return { ...house, blue };
}

/** Sends bytes, and `more` once a head has come, and collects what comes until the condition holds. */
export async function raw(
  listen: string,
  bytes: string,
  enough: (text: string) => boolean,
  more?: string,
): Promise<string> {
  const [host = '', port] = listen.split(':');
  const socket = connect(Number(port), host);
  onTestFinished(() => void socket.destroy());
  let text = '';
  let ended = false;
  socket.on('data', (chunk) => {
    const before = text.includes('\r\n\r\n');
    text += String(chunk);
    if (more !== undefined && !before && text.includes('\r\n\r\n')) socket.write(more);
  });
  socket.on('error', () => (ended = true));
  socket.on('close', () => (ended = true));
  socket.write(bytes);
  await until(() => ended || enough(text), `an answer to ${bytes.slice(0, 40)}`);
  return text;
}
