import { request as httpRequest, type IncomingMessage } from 'node:http';

/** What a page answered; `whole`: nothing of its body was left out. */
export interface Seen {
  status: number;
  location: string | null;
  body: Buffer;
  whole: boolean;
}

export const MOST_BYTES = 2 * 1024 ** 2;
/** For one page. */
export const PATIENCE_MS = 10_000;

/**
 * Asks the instance on its own socket, as a visitor of `host` would. Redirects are not followed.
 * @returns a sentence when there was no answer
 */
export function look(request: {
  socket: string;
  host: string;
  method: string;
  path: string;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<Seen | string> {
  const { socket, host, method, path, timeoutMs } = request;
  const headers = { host, accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'deployer' };
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)))]);
  return new Promise((resolve) => {
    const asked = httpRequest({ socketPath: socket, method, path, headers, agent: false, signal });
    asked.once('error', () =>
      resolve(
        signal.aborted
          ? `did not answer within ${Math.round(timeoutMs / 100) / 10} s`
          : 'broke the connection',
      ),
    );
    asked.once('response', (response) => {
      read(response).then(resolve, () => resolve('broke off in the middle of the body'));
    });
    asked.end();
  });
}

async function read(response: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) break;
  }
  const { statusCode = 0, headers } = response;
  return {
    status: statusCode,
    location: headers.location ?? null,
    body: Buffer.concat(chunks).subarray(0, MOST_BYTES),
    whole: size <= MOST_BYTES,
  };
}
