/** Work on an environment that nobody waits for: one at a time each, and it gives way to the environment's deployments. */
export interface Background {
  /** False when something runs there already. `work` rejects with the signal's reason when it has to give way. */
  run(environment: string, work: (signal: AbortSignal) => Promise<void>): Promise<boolean>;
  /** Ends what runs there; resolves when it is over. */
  giveWay(environment: string): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** Why background work ended early: it is due again as soon as the environment is at rest. */
export class GaveWay extends Error {
  override name = 'GaveWay';
}

export function createBackground(): Background {
  const running = new Map<string, { abort: AbortController; over: Promise<void> }>();

  async function giveWay(environment: string): Promise<void> {
    const present = running.get(environment);
    present?.abort.abort(new GaveWay(`a deployment of ${environment} goes first`));
    await present?.over;
  }

  return {
    async run(environment, work) {
      if (running.has(environment)) return false;
      const abort = new AbortController();
      const { promise: over, resolve } = Promise.withResolvers<void>();
      running.set(environment, { abort, over });
      try {
        await work(abort.signal);
        return true;
      } finally {
        running.delete(environment);
        resolve();
      }
    },
    giveWay,
    async stop() {
      await Promise.all([...running.keys()].map((environment) => giveWay(environment)));
    },
  };
}
