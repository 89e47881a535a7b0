import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { findUser, type User } from './users.ts';

export const SESSION_SECONDS = 14 * 24 * 3600;

/** The cookie's value. The database holds its hash only, so that a stolen copy signs nobody in. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Reads only: looking at a page never prolongs a session. */
export async function findSessionUser(db: Knex, token: string, now: Date): Promise<User | null> {
  const session = await db('sessions')
    .where({ id: idOf(token) })
    .andWhere('expires_at', '>', timestamp(now))
    .first<{ user_id: number } | undefined>('user_id');
  return session === undefined ? null : findUser(db, session.user_id);
}

/** A new session under a new token; `old` (what the client came with) ends, so that it cannot have been planted. */
export async function startSession(
  trx: Transaction,
  userId: number,
  old: string | null,
  now: Date,
): Promise<string> {
  if (old !== null) await endSession(trx, old);
  await trx('sessions').where('expires_at', '<=', timestamp(now)).delete();
  const token = newToken();
  const expires = new Date(now.getTime() + SESSION_SECONDS * 1000);
  await trx('sessions').insert({
    id: idOf(token),
    user_id: userId,
    created_at: timestamp(now),
    expires_at: timestamp(expires),
  });
  return token;
}

export async function endSession(trx: Transaction, token: string): Promise<void> {
  await trx('sessions')
    .where({ id: idOf(token) })
    .delete();
}

/** After a change of password: whoever else was signed in is not any more. */
export async function endAllSessions(trx: Transaction, userId: number): Promise<void> {
  await trx('sessions').where({ user_id: userId }).delete();
}

function idOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
