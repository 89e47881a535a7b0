import type { Hold } from '../../host/types.ts';
import { Skipped } from '../journal.ts';
import { DeploymentEnded } from '../ended.ts';
import { beginNext } from '../next-copy.ts';
import { Disturbed, type Work } from '../work.ts';

/** When the deployer falls silent for so long, the sluice lets go by itself. */
const LONGEST_LEASE_MS = 2000;

const LOST = 'the hold on writes was lost';

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
  // While writes wait nothing else is to be busy: what the rehearsal left is cleared away before.
  await Promise.all([beginNext(work, live.generation), work.clearing]);
  const began = performance.now();
  const left = () => Math.max(0, longestHold(limitMs) - (performance.now() - began));
  let waitsFor: Step = 'the writes';
  await tools.frontDoor.ensure(config.name, live.config.listen);
  const held = await tools.frontDoor.hold(config.name, { leaseMs, limitMs });
  guard(work, held, { leaseMs, left: left(), tooLong: () => tooLong(work, waitsFor) });
  if (!(await work.hold?.drained(left()))) throw left() > 0 ? new Disturbed(LOST) : tooLong(work, waitsFor);
  waitsFor = 'the lock';
  // Before the lock: a job that waits for it might keep the whole instance from answering.
  await work.hold?.quiet();
  work.writeLock = (await tools.generations(live.config)?.lock(live.generation, left())) ?? null;
  waitsFor = 'the work';
  work.signal.throwIfAborted();
}

/**
 * Renews the lease until the hold is let go. A hold that was lost, or lasts too long, ends what happens under it:
 * visitors' writes need the lock that we keep.
 */
function guard(
  work: Work,
  held: Hold,
  { leaseMs, left, tooLong: overdue }: { leaseMs: number; left: number; tooLong: () => Error },
): void {
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
    if (!(await held.renew().catch(() => false))) end(new Disturbed(LOST));
  };
  timers.push(
    setInterval(() => void renew(), leaseMs / 4),
    setTimeout(() => end(overdue()), left),
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

/** What a hold is waiting for when its time is up. */
type Step = keyof typeof TOO_LONG;

const TOO_LONG = {
  'the writes': (_: string, time: string) => `writes in flight did not finish within ${time}`,
  'the lock': (environment: string, time: string) =>
    `the database of ${environment} is locked by another process for more than ${time}`,
  'the work': (_: string, time: string) =>
    `the hold on writes would have lasted longer than ${time}: raise cutover.hold, or split the migration`,
} as const;

function tooLong({ record, config }: Work, step: Step): DeploymentEnded {
  const time = `${(longestHold(config.cutover.hold) / 1000).toFixed(1)} s`;
  const outcome = record.kind === 'deploy' ? 'rejected' : 'failed';
  // Only what is done under the hold is the commit's.
  return new DeploymentEnded(outcome, TOO_LONG[step](config.name, time), step !== 'the work');
}
