import { setTimeout as sleep } from 'node:timers/promises';
import { GitHubError } from './failure.ts';

/**
 * What is asked within a minute, in points: a question costs one, a change five. Nothing is asked beyond.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
const MOST_POINTS = 900;
const POINTS_MS = 60_000;
const QUESTION = 1;
const CHANGE = 5;

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

/** Runs changes one after the other and questions as they come, within the limits. */
export function createPace({ time, signal }: { time: Time; signal: AbortSignal }) {
  /** When the changes of the last hour ended. */
  let past: number[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let spent: { at: number; points: number }[] = [];

  /** How long until so many points more are within the limit. */
  function untilAffordable(points: number): number {
    const now = time.now();
    spent = spent.filter(({ at }) => at > now - POINTS_MS);
    let left = MOST_POINTS - points - spent.reduce((sum, one) => sum + one.points, 0);
    for (const one of spent) {
      if (left >= 0) return 0;
      left += one.points;
      if (left >= 0) return one.at + POINTS_MS - now;
    }
    return 0;
  }

  /** Waits where that is short, and notes what it costs. */
  async function afford(points: number): Promise<void> {
    for (let wait = untilAffordable(points); wait > 0; wait = untilAffordable(points))
      await pause(wait, `${MOST_POINTS} points a minute`);
    spent.push({ at: time.now(), points });
  }

  async function pause(wait: number, limit: string): Promise<void> {
    if (wait > LONGEST_WAIT_MS) {
      const message = `GitHub permits ${limit}; the next one in ${Math.ceil(wait / 1000)} s`;
      throw new GitHubError(message, { status: null, retryable: true, retryAfterMs: wait, pausesAll: true });
    }
    await time.wait(wait, signal);
  }

  /** How long the next change has to wait. */
  function due(): number {
    const now = time.now();
    past = past.filter((at) => at > now - 3_600_000);
    const waits = WINDOWS.map(({ lengthMs, most }) => (past.at(-most) ?? -Infinity) + lengthMs - now);
    return Math.max(0, (past.at(-1) ?? -Infinity) + GAP_MS - now, ...waits);
  }

  async function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const wait = due();
    if (wait > 0) await pause(wait, '80 changes a minute and 500 an hour');
    await afford(CHANGE);
    try {
      return await change();
    } finally {
      past.push(time.now());
    }
  }

  return {
    /** A question, or a change that creates nothing: it waits for no other one. */
    async ask<T>(question: () => Promise<T>, isChange = false): Promise<T> {
      await afford(isChange ? CHANGE : QUESTION);
      return question();
    },
    turn<T>(change: () => Promise<T>): Promise<T> {
      const mine = last.then(() => inTurn(change));
      last = mine.catch(() => {});
      return mine;
    },
  };
}
