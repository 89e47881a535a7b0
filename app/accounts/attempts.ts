import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';

const WINDOW_MS = 15 * 60_000;
const LIMIT = { account: 10, address: 100 };

/**
 * Counts an attempt to sign in, before the password is looked at. Resolves to the seconds to wait when
 * there were too many, per account and per client address; null: go on.
 */
export async function countAttempt(
  trx: Transaction,
  email: string,
  address: string,
  now: Date,
): Promise<number | null> {
  const start = new Date(Math.floor(now.getTime() / WINDOW_MS) * WINDOW_MS);
  await trx('rate_counters').where('window_start', '<', timestamp(start)).delete();
  const [account, client] = keysOf(email, address);
  const byAccount = await increment(trx, account, start);
  const byAddress = await increment(trx, client, start);
  if (byAccount <= LIMIT.account && byAddress <= LIMIT.address) return null;
  return Math.ceil((start.getTime() + WINDOW_MS - now.getTime()) / 1000);
}

/** A right password does not count: who logs in often is no attacker. */
export async function forgiveAttempt(trx: Transaction, email: string, address: string): Promise<void> {
  await trx('rate_counters')
    .whereIn('key', keysOf(email, address))
    .andWhere('count', '>', 0)
    .decrement('count');
}

function keysOf(email: string, address: string): [account: string, address: string] {
  return [`login-account:${email.slice(0, 150)}`, `login-address:${address.slice(0, 100)}`];
}

async function increment(trx: Transaction, key: string, start: Date): Promise<number> {
  const [row] = await trx('rate_counters')
    .insert({ key, window_start: timestamp(start), count: 1 })
    .onConflict(['key', 'window_start'])
    .merge({ count: trx.raw('rate_counters.count + 1') })
    .returning<{ count: number }[]>('count');
  return row?.count ?? 1;
}
