import { FailedError } from '../problem.ts';

/** Work on an environment that no deployment waits for: one at a time in each, and it gives way to deployments. */
export interface Background {
  /**
   * null when something runs there already.
   * @throws GaveWay, which is also the signal's reason, when a deployment goes first
   */
  run<T extends object>(environment: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | null>;
  /** Ends what runs there; resolves when it is over. */
  giveWay(environment: string): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** Why background work ended early: it is due again as soon as the environment is at rest. */
export class GaveWay extends FailedError {
  override name = 'GaveWay';
}

export function createBackground(): Background {
  const running = new Map<string, { abort: AbortController; over: Promise<void> }>();

  async function end(environment: string, why: string): Promise<void> {
    const present = running.get(environment);
    present?.abort.abort(new GaveWay(why));
    await present?.over;
  }

  return {
    async run(environment, work) {
      if (running.has(environment)) return null;
      const abort = new AbortController();
      const { promise: over, resolve } = Promise.withResolvers<void>();
      running.set(environment, { abort, over });
      try {
        const done = await work(abort.signal);
        abort.signal.throwIfAborted();
        return done;
      } catch (error) {
        throw abort.signal.aborted ? abort.signal.reason : error;
      } finally {
        running.delete(environment);
        resolve();
      }
    },
    giveWay: (environment) =>
      end(environment, `a deployment of ${environment} goes first; ask again when it is over`),
    async stop() {
      await Promise.all([...running.keys()].map((environment) => end(environment, 'the deployer stops')));
    },
  };
}
