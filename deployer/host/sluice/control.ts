import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from '../../http.ts';
import type { Holds } from './holds.ts';
import { isInstanceSocket } from './links.ts';

/** What `GET /state` answers at least. */
interface State {
  pid: number;
  startTime: string;
  writesInFlight: number;
  /** By the socket of the instance. */
  writesAt: Record<string, number>;
  held: number;
}

type Input = Record<string, unknown>;
type Status = 200 | 400 | 409;
const LONGEST_BODY = 4096;
/** Milliseconds; the longest that a hold may be asked for, or a write may wait. */
const LONGEST = 3_600_000;

/** The deployer's side of the sluice: `POST /hold`, `/renew`, `/quiet`, `/switch`, `/release`, `/let-go` and `GET /state`, in JSON. 409: no such hold is in force. */
export function controlServer(holds: Holds, state: () => State): Server {
  const verbs: Record<string, (input: Input) => Status | Promise<Status>> = {
    '/hold': async ({ id, leaseMs, limitMs }) => {
      if (!isId(id) || !isDuration(leaseMs) || !isDuration(limitMs)) return 400;
      await holds.over();
      return granted(holds.begin({ id, leaseMs, limitMs }));
    },
    '/renew': ({ id }) => (isId(id) ? granted(holds.renew(id)) : 400),
    '/quiet': async ({ id }) => (isId(id) ? granted(await holds.quiet(id)) : 400),
    '/switch': async ({ id, socket }) =>
      isId(id) && isInstanceSocket(socket) ? granted(await holds.switchTo(id, socket)) : 400,
    '/release': async ({ id }) => {
      if (!isId(id)) return 400;
      const released = holds.release(id);
      await holds.over();
      return granted(released);
    },
    '/let-go': async (): Promise<Status> => {
      holds.letGo();
      await holds.over();
      return 200;
    },
  };
  return createServer((request, response) => {
    void answerTo(request)
      .then((status) => send(response, status, state()))
      .catch((error: unknown) => send(response, 500, { error: String(error) }));
  });

  async function answerTo(request: IncomingMessage): Promise<Status | 404> {
    if (request.method === 'GET' && request.url === '/state') return 200;
    const verb = request.method === 'POST' ? verbs[request.url ?? ''] : undefined;
    if (verb === undefined) return 404;
    const input = await readInput(request);
    return input === null ? 400 : verb(input);
  }
}

async function readInput(request: IncomingMessage): Promise<Input | null> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > LONGEST_BODY) return null;
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
  response.end(JSON.stringify(body));
}

function granted(done: boolean): Status {
  return done ? 200 : 409;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 100;
}

function isDuration(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= LONGEST;
}
