import { setTimeout as sleep } from 'node:timers/promises';
import { oneLine, UnreachableError } from './problem.ts';

/** Milliseconds; npm and git have tried more than once themselves by then. */
const PAUSES = [1000, 5000];

/** Tries again, after pauses that grow, while it is somebody else who does not answer. @throws the last failure */
export async function again<T>(
  run: () => Promise<T>,
  {
    signal,
    log,
    pauses = PAUSES,
  }: { signal: AbortSignal; log: (line: string) => void; pauses?: readonly number[] | undefined },
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      log(`once more in ${pause / 1000} s: ${oneLine(error)}`);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
  return await run();
}
