import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';

const HEARTBEAT_MS = 15_000;

/** One server-sent event, as https://html.spec.whatwg.org/multipage/server-sent-events.html writes it. */
export interface ServerEvent {
  event?: string;
  id?: string;
  data: string;
}

export function wantsEvents(request: Request): boolean {
  return request.accepts(['application/json', 'text/plain', 'text/event-stream']) === 'text/event-stream';
}

/** Sends events until they end or the client goes away, which aborts the signal that `events` got. */
export async function sendEvents(
  response: Response,
  events: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
): Promise<void> {
  response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
  try {
    await sendChunks(response, (signal) => encode(events(signal)));
  } finally {
    clearInterval(heartbeat);
  }
}

/** Streams text; a client that goes away is no error, and any other ends the connection unfinished. */
export async function sendChunks(
  response: Response,
  chunks: (signal: AbortSignal) => AsyncIterable<string>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    await pipeline(Readable.from(chunks(gone.signal)), response);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

/** For what writes to the response itself: a client that goes away is no error. */
export async function unlessGone(response: Response, work: Promise<void>): Promise<void> {
  let isGone = false;
  response.once('close', () => (isGone = !response.writableFinished));
  try {
    await work;
  } catch (error) {
    if (!isGone) throw error;
  }
}

async function* encode(events: AsyncIterable<ServerEvent>): AsyncIterable<string> {
  for await (const { event, id, data } of events) {
    const head = (event === undefined ? '' : `event: ${event}\n`) + (id === undefined ? '' : `id: ${id}\n`);
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    yield `${head}${lines.join('')}\n`;
  }
}
