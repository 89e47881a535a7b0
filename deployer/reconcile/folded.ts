/**
 * Makes of a job that never rejects one that runs one at a time: a call during a run makes one more follow it,
 * for all who called meanwhile.
 */
export function folded(run: () => Promise<void>): { call: () => Promise<void>; idle: () => Promise<void> } {
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;

  function call(): Promise<void> {
    if (running) return (queued ??= running.then(() => ((queued = null), call())));
    running = run().finally(() => (running = null));
    return running;
  }
  return {
    call,
    async idle() {
      await running;
      await queued;
    },
  };
}
