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
  const byAccount = await increment(trx, `login-account:${email.slice(0, 150)}`, start);
  const byAddress = await increment(trx, `login-address:${address.slice(0, 100)}`, start);
  if (byAccount <= LIMIT.account && byAddress <= LIMIT.address) return null;
  return Math.ceil((start.getTime() + WINDOW_MS - now.getTime()) / 1000);
}

async function increment(trx: Transaction, key: string, start: Date): Promise<number> {
  const [row] = await trx('rate_counters')
    .insert({ key, window_start: timestamp(start), count: 1 })
    .onConflict(['key', 'window_start'])
    .merge({ count: trx.raw('rate_counters.count + 1') })
    .returning<{ count: number }[]>('count');
  return row?.count ?? 1;
}
