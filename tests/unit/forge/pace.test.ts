import { describe, expect, it } from 'vitest';
import { createPace, type Time } from '../../../deployer/forge/github/pace.ts';

/** Changes through the pace, as the outbox makes them: a refusal is waited for. Answers when each was made. */
async function made(count: number, tookMs = 0): Promise<{ at: number[]; refusals: number[] }> {
  let now = 0;
  const time: Time = {
    now: () => now,
    wait: async (milliseconds) => void (now += milliseconds),
  };
  const pace = createPace({ time, signal: new AbortController().signal });
  const at: number[] = [];
  const refusals: number[] = [];
  while (at.length < count) {
    try {
      await pace.turn(async () => {
        at.push(now);
        now += tookMs;
      });
    } catch (error) {
      const { retryAfterMs } = error as { retryAfterMs: number };
      refusals.push(retryAfterMs);
      now += retryAfterMs;
    }
  }
  return { at, refusals };
}

/** The most that fall into any window of this length. */
function mostIn(lengthMs: number, at: readonly number[]): number {
  return Math.max(...at.map((from) => at.filter((each) => each >= from && each < from + lengthMs).length));
}

describe('changes on GitHub', () => {
  it('are a second apart, counted from the end of the one before', async () => {
    expect((await made(4)).at).toEqual([0, 1000, 2000, 3000]);
    expect((await made(3, 300)).at).toEqual([0, 1300, 2600]);
  });

  it('are at most 80 a minute and 500 an hour', async () => {
    const { at, refusals } = await made(1100);
    expect(mostIn(60_000, at)).toBeLessThanOrEqual(80);
    expect(mostIn(3_600_000, at)).toBe(500);
    // Long waits are the outbox's, which can be stopped.
    expect(Math.min(...refusals)).toBeGreaterThan(5000);
  });

  it('and questions are at most 900 points in a minute', async () => {
    let now = 0;
    const time: Time = { now: () => now, wait: async (milliseconds) => void (now += milliseconds) };
    const pace = createPace({ time, signal: new AbortController().signal });
    const spent: { at: number; points: number }[] = [];
    const refused: { message: string; retryAfterMs: number; pausesAll: boolean }[] = [];
    const spend = (points: number) => async () => void spent.push({ at: now, points });
    while (spent.length < 1500) {
      const isChange = spent.length % 20 === 0;
      try {
        await (isChange ? pace.turn(spend(5)) : pace.ask(spend(1)));
      } catch (error) {
        const refusal = error as (typeof refused)[number];
        refused.push(refusal);
        now += refusal.retryAfterMs;
      }
      now += 1;
    }
    const within = spent.map(({ at: from }) =>
      spent.filter(({ at }) => at >= from && at < from + 60_000).reduce((sum, { points }) => sum + points, 0),
    );
    expect(Math.max(...within)).toBeLessThanOrEqual(900);
    expect(Math.max(...within)).toBeGreaterThan(890);
    expect(refused[0]).toMatchObject({
      pausesAll: true,
      message: expect.stringMatching(/^GitHub permits 900 points/) as string,
    });
    expect(Math.min(...refused.map(({ retryAfterMs }) => retryAfterMs))).toBeGreaterThan(5000);
  });

  it('asked for at once are made one after the other, also when one fails', async () => {
    const time: Time = { now: () => 0, wait: async () => {} };
    const pace = createPace({ time, signal: new AbortController().signal });
    const order: string[] = [];
    const change = async (name: string) => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (name === 'a') throw new Error('no');
    };
    const turns = ['a', 'b'].map((name) => pace.turn(() => change(name)));
    expect((await Promise.allSettled(turns)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});
