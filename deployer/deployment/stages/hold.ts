import type { Hold } from '../../host/types.ts';
import { FailedError } from '../../problem.ts';
import { Skipped } from '../journal.ts';
import { DeploymentEnded } from '../ended.ts';
import { beginNext } from '../next-copy.ts';
import { Disturbed, type Work } from '../work.ts';

/** When the deployer falls silent for so long, the sluice lets go by itself. */
const LONGEST_LEASE_MS = 2000;

const leaseOf = (limitMs: number) => Math.ceil(Math.min(LONGEST_LEASE_MS, limitMs / 3));

/**
 * How long a hold may last, in milliseconds, so that no write waits longer than `cutover.hold`, also when the deployer
 * dies at the last moment and the lease has to run out.
 */
export const longestHold = (limitMs: number) => limitMs - leaseOf(limitMs);

/** New writes wait in the sluice, those in flight finish, and the write lock is taken: the database is still. */
export async function hold(work: Work): Promise<Skipped | void> {
  const { tools, live, plan, config } = work;
  if (plan.kind === 'same' || plan.kind === 'create') return new Skipped('the database does not change');
  if (!live?.generation) return new Skipped('nothing is live');
  const limitMs = config.cutover.hold;
  const leaseMs = leaseOf(limitMs);
  await beginNext(work, live.generation);
  const began = performance.now();
  const left = () => Math.max(0, longestHold(limitMs) - (performance.now() - began));
  await tools.frontDoor.ensure(config.name, live.config.listen);
  guard(work, await tools.frontDoor.hold(config.name, { leaseMs, limitMs }), { leaseMs, left: left() });
  if (!(await work.hold?.drained(left())))
    throw new FailedError(`writes in flight did not finish within ${limitMs / 1000} s`);
  // Before the lock: a job that waits for it might keep the whole instance from answering.
  await work.hold?.quiet();
  work.writeLock = (await tools.generations(live.config)?.lock(live.generation, left())) ?? null;
  work.signal.throwIfAborted();
}

/**
 * Renews the lease until the hold is let go. A hold that was lost, or lasts too long, ends what happens under it:
 * visitors' writes need the lock that we keep.
 */
function guard(work: Work, held: Hold, { leaseMs, left }: { leaseMs: number; left: number }): void {
  const lost = new AbortController();
  work.signal = AbortSignal.any([work.signal, lost.signal]);
  const timers: NodeJS.Timeout[] = [];
  const end = (why?: Error) => {
    if (timers.length === 0) return;
    for (const timer of timers.splice(0)) clearTimeout(timer);
    if (!why) return;
    work.writeLock?.release();
    lost.abort(why);
    void held.release().catch(() => undefined);
  };
  const renew = async () => {
    if (!(await held.renew().catch(() => false))) end(new Disturbed('the hold on writes was lost'));
  };
  timers.push(
    setInterval(() => void renew(), leaseMs / 4),
    setTimeout(() => end(tooLong(work)), left),
  );
  work.hold = {
    drained: (deadlineMs) => held.drained(deadlineMs),
    renew: () => held.renew(),
    quiet: () => held.quiet(),
    switchTo: (socket) => {
      end();
      return held.switchTo(socket);
    },
    release: () => {
      end();
      work.hold = null;
      return held.release();
    },
  };
}

function tooLong({ record, config }: Work): DeploymentEnded {
  return new DeploymentEnded(
    record.kind === 'deploy' ? 'rejected' : 'failed',
    `the hold on writes would have lasted longer than ${(longestHold(config.cutover.hold) / 1000).toFixed(1)} s: raise cutover.hold, or split the migration`,
  );
}
