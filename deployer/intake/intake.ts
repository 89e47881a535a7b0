import { finished } from 'node:stream';
import type { Request, RequestHandler, Response } from 'express';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Forge } from '../forge/types.ts';
import { oneLine } from '../problem.ts';
import { hintOf, type Look } from './hint.ts';
import { sweeper } from './read-buffers.ts';
import { judge, type Delivery } from './webhook.ts';

/** GitHub waits as long for its answer; a body that trickles must not keep a place for ever. */
const LONGEST_READ_MS = 10_000;
/** Bodies that are read at once; GitHub tries its luck again by our asking, attackers get no more memory. */
const MOST_AT_ONCE = 16;

/**
 * `POST /webhooks/github`: verified, stored, answered. Nothing else happens in the request.
 * What is authentic but says nothing to us is answered alike, and neither stored nor looked at.
 */
export function intake(options: {
  state: Knex;
  secrets: readonly string[];
  /** Deliveries of another repository are ignored; absent: there is but one. */
  owns: Forge['owns'] | undefined;
  /** A stored delivery, a repeated one too, makes the reconciler look. */
  onDelivery: (look: Look) => void;
  clock: () => Date;
  logger: Logger;
}): RequestHandler {
  const { state, secrets, owns, onDelivery, clock, logger } = options;
  const sweep = sweeper();
  let reading = 0;

  async function receive(request: Request, response: Response): Promise<void> {
    limitTime(request);
    request.on('data', (chunk: Buffer) => sweep(chunk.length)).pause();
    if (reading >= MOST_AT_ONCE)
      return refuse(response, 503, 'too many deliveries at once; send it again', { 'Retry-After': '1' });
    reading += 1;
    const judged = await judge(request.headers, request, secrets).finally(() => (reading -= 1));
    if (!judged.accepted) return refuse(response, judged.status, judged.reason);
    const { delivery } = judged;
    const hint = hintOf(delivery, owns);
    if ('ignored' in hint) {
      logger.debug({ delivery: delivery.id, event: delivery.name, why: hint.ignored }, 'delivery ignored');
      response.status(202).json({ delivery: delivery.id, ...hint });
      return;
    }
    const stored = await store(delivery).catch((error: unknown) => {
      logger.error({ error: oneLine(error) }, 'a delivery could not be stored');
      return null;
    });
    if (stored === null)
      return refuse(response, 503, 'the delivery could not be stored; send it again', { 'Retry-After': '5' });
    response.status(202).json({ delivery: delivery.id, stored });
    onDelivery(hint.look);
  }

  /** @returns 'new', or 'known' for a repeated delivery */
  async function store({ id, name, payload }: Delivery): Promise<'new' | 'known'> {
    const inserted = await state('events')
      .insert({ delivery: id, name, payload, received_at: clock().toISOString() })
      .onConflict('delivery')
      .ignore()
      .returning('id');
    return inserted.length > 0 ? 'new' : 'known';
  }

  return receive;
}

/**
 * A client that still sends reads the answer only if what it sends is taken:
 * the answer goes out at once, the rest of the body is dropped, and the connection ends after that.
 */
function refuse(
  response: Response,
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): void {
  if (response.destroyed) return;
  const problem = { type: 'about:blank', title: 'The delivery was not taken', status, detail };
  const body = Buffer.from(JSON.stringify(problem));
  response
    .status(status)
    .set({ ...headers, 'Content-Length': String(body.length) })
    .type('application/problem+json')
    .write(body);
  finished(response.req.resume(), () => response.end());
}

/** Ends the connection of a body that has not come whole by then. */
function limitTime(request: Request): void {
  const timer = setTimeout(() => request.destroy(), LONGEST_READ_MS);
  request.once('close', () => clearTimeout(timer));
}
