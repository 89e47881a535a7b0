import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { request as httpRequest } from '../../http.ts';
import { hasBody, isChunked, isRead, requestHeaders, responseHeaders, trailers } from './headers.ts';
import { originForm } from './hidden.ts';
import { NOT_EXECUTED_HEADER } from '../sluice/sluice.ts';

/** `failing`: answered with status 500 or more. `not executed`: the sluice refused. `no answer`: the connection ended first. */
export type Exchanged = 'answered' | 'failing' | 'not executed' | 'no answer';

/** Sends the request over this connection, which is used for nothing else, and streams the answer back. Resolves with its head. */
export function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  socket: Socket,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    let arrived: IncomingMessage | undefined;
    const upstream = httpRequest({
      createConnection: () => socket,
      method: request.method,
      path: originForm(request.url ?? '/'),
      // Kept alive only so that an instance that answers early reads the rest instead of resetting the connection.
      headers: [...requestHeaders(request), 'Connection', 'keep-alive'],
    });
    socket.once('close', () => resolve('no answer'));
    upstream.on('error', () => socket.destroy());
    upstream.on('continue', () => response.writeContinue());
    upstream.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode !== 100 && !response.headersSent) response.writeInformation(statusCode, rawHeaders);
    });
    upstream.on('response', (answer) => {
      arrived = answer;
      const outcome = judge(answer);
      resolve(outcome);
      answer.once('end', () => socket.destroy());
      if (outcome === 'not executed' || response.destroyed) answer.resume();
      else relay(answer, response);
    });
    response.once('close', () => {
      if (response.writableFinished) return;
      // The client is gone. A write that was sent on in full is left to its end, and counts as in flight until then.
      if (isRead(request) || !upstream.writableEnded) socket.destroy();
      else {
        // By ourselves, and first: `pipe` would pause an answer that nobody takes any more, and the write would never end.
        arrived?.unpipe(response);
        arrived?.resume();
      }
    });
    sendBody(request, upstream);
  });
}

function judge(answer: IncomingMessage): Exchanged {
  const status = answer.statusCode ?? 0;
  if (status === 503 && answer.headers[NOT_EXECUTED_HEADER] !== undefined) return 'not executed';
  return status >= 500 ? 'failing' : 'answered';
}

function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  if (!hasBody(request)) return void upstream.end();
  request.once('end', () => {
    if (isChunked(request)) upstream.addTrailers(trailers(request));
  });
  request.pipe(upstream);
}

function relay(answer: IncomingMessage, response: ServerResponse): void {
  // Cut short, or not fit to be passed on: the client must not take it for the whole.
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
  answer.on('error', () => response.destroy());
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer));
  } catch {
    answer.destroy();
    return;
  }
  answer.once('end', () => {
    if (isChunked(answer)) response.addTrailers(trailers(answer));
  });
  answer.pipe(response);
  // An event stream's head must not wait for the first event; otherwise head and body go in one packet.
  setImmediate(() => {
    if (!response.writableEnded) response.flushHeaders();
  });
}
