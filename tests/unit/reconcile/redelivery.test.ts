import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRedelivery } from '../../../deployer/reconcile/redelivery.ts';
import { silent } from '../scratch.ts';

const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

function asking(answers: (() => Promise<number>)[]) {
  const since: string[] = [];
  const forge = {
    redeliverFailed: async (from: Date) => {
      since.push(from.toISOString());
      return (answers.shift() ?? (async () => 0))();
    },
  };
  const redelivery = createRedelivery({ forge, clock: () => new Date(), logger: silent });
  return { redelivery, since };
}

it('missed deliveries are asked for at the start and every ten minutes, each time with an overlap', async () => {
  const { redelivery, since } = asking([]);
  redelivery.start();
  await vi.advanceTimersByTimeAsync(25 * MINUTE);
  expect(since).toEqual(['2026-11-20T12:00:00.000Z', '2026-11-21T11:50:00.000Z', '2026-11-21T12:00:00.000Z']);
  redelivery.stop();
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(since).toHaveLength(3);
});

it('a forge that cannot be asked is asked for the same time again', async () => {
  const { redelivery, since } = asking([async () => Promise.reject(new Error('down'))]);
  redelivery.start();
  await vi.advanceTimersByTimeAsync(11 * MINUTE);
  expect(since).toEqual(['2026-11-20T12:00:00.000Z', '2026-11-20T12:00:00.000Z']);
  redelivery.stop();
});
