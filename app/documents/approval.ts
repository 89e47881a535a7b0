import type { User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { Document } from './document.ts';
import { moveDocument } from './transition.ts';

/**
 * Approves a document. Its number comes from a counter row in the same transaction: no gap when it fails,
 * no repeat when two approve at once. A number is kept for life.
 */
export async function approveDocument(
  trx: Transaction,
  user: User,
  document: Document,
  now: Date,
): Promise<number> {
  const number = document.ml_number ?? (await nextNumber(trx));
  await moveDocument(trx, user, document, 'approved', now, { ml_number: number });
  return number;
}

/** A separate, explicit act: nothing else ever publishes. */
export async function publishDocument(
  trx: Transaction,
  user: User,
  document: Document,
  now: Date,
): Promise<void> {
  await moveDocument(trx, user, document, 'published', now, { published_at: timestamp(now) });
}

async function nextNumber(trx: Transaction): Promise<number> {
  const [counter] = await trx('counters')
    .where({ key: 'ml_number' })
    .update({ value: trx.raw('value + 1') })
    .returning<{ value: number }[]>('value');
  if (counter === undefined) throw new Error('the counter of ML numbers is missing');
  return counter.value;
}
