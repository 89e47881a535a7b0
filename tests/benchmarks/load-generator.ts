import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Load, type LoadOptions } from '../kit/load.ts';

/** What visitors saw; times in milliseconds. */
export interface Seen {
  requests: number;
  failed: number;
  /** The first few, for the cause. */
  failures: string[];
  longestRead: number;
  longestWrite: number;
  /** What was answered with 201, to be looked up in the database. */
  acknowledged: string[];
  /** How long the generator itself was held up: no stall shorter than this can be told from it. */
  ownDelay: number;
}

export type Order = LoadOptions | 'stop';

/** A process of its own, so that the load takes nothing from the event loop that measures. */
function main(): void {
  let load: Load | null = null;
  const delay = monitorEventLoopDelay({ resolution: 5 });
  process.on('message', (order: Order) => {
    if (order !== 'stop') {
      load = new Load(order);
      delay.enable();
      return;
    }
    if (load) void finish(load, delay);
  });
}

async function finish(load: Load, delay: { max: number }): Promise<void> {
  await load.stop();
  process.send?.(seenBy(load, delay.max / 1e6));
}

function seenBy(load: Load, ownDelay: number): Seen {
  return {
    requests: load.answers.length,
    failed: load.failed.length,
    failures: [
      ...new Set(load.failed.map(({ method, status, error }) => `${method} ${status ?? error}`)),
    ].slice(0, 5),
    longestRead: load.longest('GET'),
    longestWrite: load.longest('POST'),
    acknowledged: load.acknowledged,
    ownDelay: Math.round(ownDelay),
  };
}

if (import.meta.main) main();
