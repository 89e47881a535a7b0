import { setTimeout as sleep } from 'node:timers/promises';
import { GitHubError } from './failure.ts';

/**
 * GitHub's limits for requests that create content: one at a time, a second between two, 80 a minute and 500 an hour.
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
const GAP_MS = 1000;
const WINDOWS = [
  { lengthMs: 60_000, most: 80 },
  { lengthMs: 3_600_000, most: 500 },
] as const;
/** Longer waits are the outbox's. */
const LONGEST_WAIT_MS = 5000;

/** Milliseconds of a clock that never goes back, and waiting on it. */
export interface Time {
  now(): number;
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const realTime: Time = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** Runs changes one after the other, within the limits. */
export function createPace({ time, signal }: { time: Time; signal: AbortSignal }) {
  /** When the changes of the last hour ended. */
  let past: number[] = [];
  let last: Promise<unknown> = Promise.resolve();

  /** How long the next change has to wait. */
  function due(): number {
    const now = time.now();
    past = past.filter((at) => at > now - 3_600_000);
    const waits = WINDOWS.map(({ lengthMs, most }) => (past.at(-most) ?? -Infinity) + lengthMs - now);
    return Math.max(0, (past.at(-1) ?? -Infinity) + GAP_MS - now, ...waits);
  }

  async function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const wait = due();
    if (wait > LONGEST_WAIT_MS) {
      const message = `GitHub permits 80 changes a minute and 500 an hour; the next one in ${Math.ceil(wait / 1000)} s`;
      throw new GitHubError(message, { status: null, retryable: true, retryAfterMs: wait, pausesAll: true });
    }
    if (wait > 0) await time.wait(wait, signal);
    try {
      return await change();
    } finally {
      past.push(time.now());
    }
  }

  return {
    turn<T>(change: () => Promise<T>): Promise<T> {
      const mine = last.then(() => inTurn(change));
      last = mine.catch(() => {});
      return mine;
    },
  };
}
