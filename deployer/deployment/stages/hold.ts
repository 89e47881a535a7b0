import { FailedError } from '../../problem.ts';
import { Skipped } from '../journal.ts';
import type { Work } from '../work.ts';

const LEASE_MS = 5000;
const LOCK_TIMEOUT_MS = 5000;

/** New writes wait in the sluice, those in flight finish, and the write lock is taken: the database is still. */
export async function hold(work: Work): Promise<Skipped | void> {
  const { tools, live, plan, config } = work;
  if (plan.kind === 'same' || plan.kind === 'create') return new Skipped('the database does not change');
  if (!live?.generation) return new Skipped('nothing is live');
  const limitMs = config.cutover.hold;
  work.hold = keepAlive(work, await tools.frontDoor.hold(config.name, { leaseMs: LEASE_MS, limitMs }));
  if (!(await work.hold.drained(Math.min(limitMs, LOCK_TIMEOUT_MS)))) {
    throw new FailedError(
      `writes in flight did not finish within ${Math.min(limitMs, LOCK_TIMEOUT_MS) / 1000} s`,
    );
  }
  work.writeLock = (await tools.generations(live.config)?.lock(live.generation, LOCK_TIMEOUT_MS)) ?? null;
}

/** Renews the lease until the hold is let go; the sluice lets go by itself when the daemon falls silent. */
function keepAlive(work: Work, held: NonNullable<Work['hold']>): NonNullable<Work['hold']> {
  const timer = setInterval(() => void held.renew().catch(() => false), LEASE_MS / 4);
  const stop = () => clearInterval(timer);
  return {
    drained: (deadlineMs) => held.drained(deadlineMs),
    renew: () => held.renew(),
    switchTo: (socket) => held.switchTo(socket).finally(stop),
    release: () => {
      stop();
      work.hold = null;
      return held.release();
    },
  };
}
