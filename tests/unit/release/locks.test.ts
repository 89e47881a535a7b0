import { describe, expect, it } from 'vitest';
import { createLocks } from '../../../deployer/release/locks.ts';

describe('work under a key', () => {
  it('runs one after the other, in the order it came', async () => {
    const locks = createLocks();
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const work = [
      locks.run('a', async () => {
        await first.promise;
        order.push('first');
      }),
      locks.run('a', async () => void order.push('second')),
      locks.run('b', async () => void order.push('other key')),
    ];
    await work[2];
    expect(locks.held('a')).toBe(true);
    first.resolve();
    await Promise.all(work);
    expect(order).toEqual(['other key', 'first', 'second']);
    expect(locks.held('a')).toBe(false);
  });

  it('goes on after work that failed', async () => {
    const locks = createLocks();
    const failed = locks.run('a', async () => await Promise.reject(new Error('no')));
    const next = locks.run('a', async () => 'done');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  it('ends its waiting with the signal, and never starts then', async () => {
    const locks = createLocks();
    const first = Promise.withResolvers<void>();
    const controller = new AbortController();
    const order: string[] = [];
    const running = locks.run('a', async () => {
      await first.promise;
      order.push('first');
    });
    const waiting = locks.run('a', async () => void order.push('aborted'), controller.signal);
    const third = locks.run('a', async () => void order.push('third'));
    controller.abort(new Error('superseded'));
    await expect(waiting).rejects.toThrow('superseded');
    expect(order).toEqual([]);
    first.resolve();
    await Promise.all([running, third]);
    expect(order).toEqual(['first', 'third']);
  });
});
