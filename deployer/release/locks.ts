/** Work under the same key runs one after the other, in the order it came; other keys are not held up. */
export interface Locks {
  held(key: string): boolean;
  /** @throws the signal's reason when that aborts before the turn comes; then `work` never starts */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createLocks(): Locks {
  const queues = new Map<string, { last: Promise<void>; users: number }>();
  return {
    held: (key) => queues.has(key),
    async run(key, work, signal) {
      signal?.throwIfAborted();
      const queue = queues.get(key) ?? { last: Promise.resolve(), users: 0 };
      const before = queue.last;
      const done = Promise.withResolvers<void>();
      queue.last = done.promise.then(() => before);
      queue.users += 1;
      queues.set(key, queue);
      try {
        await untilAborted(before, signal);
        return await work();
      } finally {
        done.resolve();
        queue.users -= 1;
        if (queue.users === 0) queues.delete(key);
      }
    },
  };
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([wait, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
