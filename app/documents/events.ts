import type { Knex } from 'knex';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { z } from 'zod';
import { STATES } from './state.ts';

/** What can happen to a document, each with what there is to say about it. */
export type EventData =
  | { type: 'revision'; rev: string }
  | { type: 'state'; from: (typeof STATES)[number]; to: (typeof STATES)[number]; number?: number };

const data = z.discriminatedUnion('type', [
  z.object({ type: z.literal('revision'), rev: z.string() }),
  z.object({
    type: z.literal('state'),
    from: z.enum(STATES),
    to: z.enum(STATES),
    number: z.number().optional(),
  }),
]);

export interface DocumentEvent {
  id: number;
  actor_id: number | null;
  actor: string | null;
  created_at: string;
  data: z.infer<typeof data>;
}

/** Events are only ever added; the database refuses anything else. */
export async function recordEvent(
  trx: Transaction,
  docId: number,
  actorId: number | null,
  event: EventData,
  now: Date,
): Promise<void> {
  const { type, ...rest } = event;
  await trx('events').insert({
    doc_id: docId,
    type,
    actor_id: actorId,
    data: JSON.stringify(rest),
    created_at: timestamp(now),
  });
}

/** Newest first. */
export async function eventsOf(db: Knex, docId: number): Promise<DocumentEvent[]> {
  const rows = await db('events')
    .leftJoin('users', 'users.id', 'events.actor_id')
    .where({ doc_id: docId })
    .orderBy('events.id', 'desc')
    .select<(Omit<DocumentEvent, 'data'> & { type: string; data: string })[]>(
      'events.*',
      'users.name as actor',
    );
  return rows.map(({ type, data: stored, ...row }) => ({ ...row, data: parseEvent(type, stored) }));
}

function parseEvent(type: string, stored: string): DocumentEvent['data'] {
  const rest: unknown = JSON.parse(stored);
  return data.parse({ ...z.record(z.string(), z.unknown()).parse(rest), type });
}
