import { parentPort } from 'node:worker_threads';
import { serveJobs } from '../../../backups/thread/serve.ts';

/** Jobs that behave well and badly, for the tests of the thread itself. */
export const jobs = {
  echo: (value: unknown): unknown => value,
  double: (number: number): number => number * 2,
  fail: (sentence: string): never => {
    throw new Error(sentence);
  },
  crash: (): void => process.exit(3),
  throwLater: (): Promise<never> => {
    setImmediate(() => {
      throw new Error('out of nowhere');
    });
    return new Promise(() => {});
  },
  untilAborted: (_: null, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    }),
};

if (parentPort !== null) serveJobs(parentPort, jobs);
