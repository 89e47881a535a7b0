/** Work under the same key runs one after the other, in the order it came; other keys are not held up. */
export interface Locks {
  held(key: string): boolean;
  /** @throws the signal's reason when that aborts before the turn comes; then `work` never starts */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  return {
    held: (key) => tails.has(key),
    async run(key, work, signal) {
      signal?.throwIfAborted();
      const before = tails.get(key);
      const done = Promise.withResolvers<void>();
      const tail = done.promise.then(() => before);
      tails.set(key, tail);
      void tail.then(() => tails.get(key) === tail && tails.delete(key));
      try {
        await untilAborted(before, signal);
        return await work();
      } finally {
        done.resolve();
      }
    },
  };
}

async function untilAborted(wait: Promise<void> | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (!wait) return;
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([wait, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
