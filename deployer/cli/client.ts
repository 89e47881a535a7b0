import type { IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { COMMAND } from '../command.ts';
import { FailedError, RefusedError, UsageError, oneLine } from '../problem.ts';
import { loadAnswers, type Expected } from './answers.ts';
import type { Connection } from './connection.ts';
import { ConnectionError, UnreachableError } from './failure.ts';
import { receiveEvents, send } from './http.ts';
import type { ReceivedEvent } from './http.ts';
import { printable } from './text/printable.ts';

/** Three of the daemon's heartbeats. */
const SILENCE_MS = 45_000;

/** What the verbs ask the daemon. Each throws the error of `problem.ts` that the daemon's answer means. */
export interface Client {
  url: string;
  get<T>(path: string, expected: Expected<T>): Promise<T>;
  text(path: string): Promise<string>;
  /** Text as it is, in pieces: for a file, not for a terminal. */
  download(path: string): AsyncIterable<string>;
  change<T>(
    method: 'POST' | 'DELETE',
    path: string,
    body: object | undefined,
    expected: Expected<T>,
  ): Promise<T>;
  /** Resolved when the stream is open; `lastId` is where it goes on. */
  events(path: string, lastId: string | null): Promise<AsyncIterable<ReceivedEvent>>;
}

export function createClient(connection: Connection, signal: AbortSignal): Client {
  const authorization: Record<string, string> =
    connection.token === null ? {} : { authorization: `Bearer ${connection.token}` };

  const ask = async (method: string, path: string, headers: object, body?: object, silenceMs = 0) => {
    let isSent = false;
    const response = await send(new URL(connection.url + path), {
      method,
      headers: { ...authorization, 'x-requested-by': connection.by, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      silenceMs,
      onSent: () => {
        isSent = true;
        // A failure is told when they are needed.
        loadAnswers().catch(() => undefined);
      },
    }).catch((error: unknown) => {
      throw isSent && method !== 'GET'
        ? unanswered(connection.url, error)
        : unreachable(connection.url, error, connection.start);
    });
    if ((response.statusCode ?? 500) >= 400) throw await toError(response, connection);
    return response;
  };

  return {
    url: connection.url,
    async get(path, expected) {
      return parse(await ask('GET', path, { accept: 'application/json' }), expected, connection.url);
    },
    async text(path) {
      return printable(await readWhole(await ask('GET', path, { accept: 'text/plain' }), connection.url));
    },
    async *download(path) {
      if (connection.token === null) throw noToken(connection);
      const response = await ask('GET', path, {});
      try {
        for await (const piece of response.setEncoding('utf8')) yield String(piece);
      } catch (error) {
        throw unreachable(connection.url, error);
      }
    },
    async change(method, path, body, expected) {
      if (connection.token === null) throw noToken(connection);
      const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) };
      return parse(await ask(method, path, headers, body), expected, connection.url);
    },
    async events(path, lastId) {
      const resume = lastId === null ? {} : { 'last-event-id': lastId };
      const headers = { accept: 'text/event-stream', ...resume };
      return untilLost(receiveEvents(await ask('GET', path, headers, undefined, SILENCE_MS)), connection.url);
    },
  };
}

async function* untilLost(events: AsyncIterable<ReceivedEvent>, url: string): AsyncIterable<ReceivedEvent> {
  try {
    for await (const event of events) yield { ...event, data: printable(event.data) };
  } catch (error) {
    throw unreachable(url, error);
  }
}

async function parse<T>(response: IncomingMessage, expected: Expected<T>, url: string): Promise<T> {
  const body = await readWhole(response, url);
  const parsed = expected(await loadAnswers()).safeParse(fromJson(body));
  if (parsed.success) return parsed.data;
  throw new ConnectionError('the answer is not one of a deployer of this version', url, NEXT_ADDRESS);
}

async function readWhole(response: IncomingMessage, url: string): Promise<string> {
  try {
    return await readText(response);
  } catch (error) {
    throw unreachable(url, error);
  }
}

/** What strangers wrote reaches a terminal, so it is stripped here, at the edge. */
function fromJson(body: string): unknown {
  try {
    return JSON.parse(body, (_key, value: unknown) => (typeof value === 'string' ? printable(value) : value));
  } catch {
    return undefined;
  }
}

async function toError(response: IncomingMessage, connection: Connection): Promise<Error> {
  const status = response.statusCode ?? 500;
  const body = await readWhole(response, connection.url);
  const { problem } = await loadAnswers();
  const { data } = problem.safeParse(fromJson(body));
  if (data === undefined) {
    return new UnreachableError(
      `HTTP ${status} from something that is not the deployer`,
      connection.url,
      NEXT_ADDRESS,
    );
  }
  if (status === 401) return connection.token === null ? noToken(connection) : wrongToken(connection);
  if (status === 409) return new RefusedError(data.detail);
  // One that has just been started again: whoever waits for an outcome goes on waiting.
  if (status === 503) return new UnreachableError(data.detail, connection.url, 'the same again in a moment');
  if (status === 400 || status === 404) return new UsageError(data.detail);
  return new FailedError(data.detail);
}

const NEXT_ADDRESS = 'check DEPLOYER_LISTEN or DEPLOYER_URL';

function unreachable(url: string, error: unknown, start = `${COMMAND} status`): UnreachableError {
  const next = `${start}, or ${NEXT_ADDRESS}`;
  return new UnreachableError(`the deployer does not answer: ${oneLine(error)}`, url, next, { cause: error });
}

/** It ended, or was restarted, meanwhile: nobody here knows whether it had stored what was asked for. */
function unanswered(url: string, error: unknown): ConnectionError {
  const what = `the deployer was lost before it answered (${oneLine(error)}); it may do what it was asked for`;
  return new ConnectionError(what, url, `${COMMAND} status`, { cause: error });
}

function noToken({ url, tokenFile }: Connection): ConnectionError {
  const next = `set DEPLOYER_ADMIN_TOKEN, or be a user who can read ${tokenFile}`;
  return new ConnectionError('this needs the admin token, and there is none', url, next);
}

function wrongToken({ url, tokenFile }: Connection): ConnectionError {
  const next = `compare DEPLOYER_ADMIN_TOKEN or ${tokenFile} with that of the deployer at this address`;
  return new ConnectionError('the deployer does not accept this admin token', url, next);
}
