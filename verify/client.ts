import type { IncomingHttpHeaders, IncomingMessage, RequestOptions, request as HttpRequest } from 'node:http';
import { NoAnswer } from './check.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** `text/html`, without parameters. */
  type: string;
  body: string;
}

/** Asks the instance as an anonymous visitor. Redirects are answers, not followed. */
export interface Client {
  /** Asked once in a run: the answer of the first time serves all suites. @throws {NoAnswer} */
  get(path: string): Promise<Answer>;
  /** Asked anew each time. @throws {NoAnswer} */
  ask(method: string, path: string, json?: unknown): Promise<Answer>;
  close(): void;
}

export interface ClientOptions {
  url: URL;
  socket: string | null;
  timeoutMs: number;
}

const CONCURRENCY = 6;
const LARGEST_BODY = 16 * 1024 * 1024;
/** After so many requests without an answer nothing else is asked: a hung instance must not cost a timeout for each check. */
const PATIENCE = 3;

export function createClient(options: ClientOptions): Client {
  const { request, agent } = transportOf(options);
  const remembered = new Map<string, Promise<Answer>>();
  const turn = turnstile(CONCURRENCY);
  let unanswered = 0;

  async function exchange(method: string, path: string, json: unknown): Promise<Answer> {
    if (unanswered >= PATIENCE)
      throw new NoAnswer('was not asked any more: the instance had stopped answering');
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      const body = json === undefined ? '' : JSON.stringify(json);
      const own = optionsFor(options, path, body);
      const answer = await converse(request, { ...own, agent, method, signal }, body);
      unanswered = 0;
      return answer;
    } catch (error) {
      unanswered += 1;
      throw signal.aborted
        ? new NoAnswer(`did not answer within ${options.timeoutMs / 1000} s`)
        : describe(error);
    }
  }
  const ask: Client['ask'] = (method, path, json) => turn(() => exchange(method, path, json));
  return {
    ask,
    get(path) {
      const answer = remembered.get(path) ?? ask('GET', path);
      remembered.set(path, answer);
      return answer;
    },
    close: () => agent.destroy(),
  };
}

function transportOf({ url, socket }: ClientOptions) {
  // An import would evaluate every getter of the module, and one of them loads undici: 15 ms.
  const transport = process.getBuiltinModule(
    socket === null && url.protocol === 'https:' ? 'node:https' : 'node:http',
  );
  return {
    request: transport.request,
    agent: new transport.Agent({ keepAlive: true, maxSockets: CONCURRENCY }),
  };
}

function optionsFor({ url, socket }: ClientOptions, path: string, body: string): RequestOptions {
  const headers: Record<string, string> = {
    host: url.host,
    accept: 'text/html,application/json;q=0.9,*/*;q=0.8',
  };
  if (body !== '') headers['content-type'] = 'application/json';
  if (socket === null) {
    return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path, headers };
  }
  headers['x-forwarded-proto'] = url.protocol.slice(0, -1);
  return { socketPath: socket, path, headers };
}

async function converse(request: typeof HttpRequest, options: RequestOptions, body: string): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(options, resolve).on('error', reject).end(body);
  });
  const type = response.headers['content-type']?.split(';')[0]?.trim() ?? '';
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    type,
    body: await readBody(response),
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > LARGEST_BODY) throw new NoAnswer(`sent more than ${LARGEST_BODY / 1024 / 1024} MB`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function describe(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const reason = error instanceof Error && 'code' in error ? error.code : error;
  return new NoAnswer(`gave no answer (${String(reason)})`, { cause: error });
}

/** Lets so many in at a time; a request's time limit starts when it is let in. */
function turnstile(limit: number) {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (inside >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    inside += 1;
    try {
      return await work();
    } finally {
      inside -= 1;
      waiting.shift()?.();
    }
  };
}
