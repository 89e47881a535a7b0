import { createThreads } from '../../../backups/thread/client.ts';
import { FailedError } from '../../problem.ts';
import type { DataJobs } from './jobs.ts';

/** A thread for each directory of generations: what takes longer than a few milliseconds on a database runs there. */
export const dataThreads = createThreads<DataJobs>(
  new URL('worker.ts', import.meta.url),
  (sentence) => new FailedError(sentence),
);

/** Ends the threads that were ever started. */
export const closeDataThreads = (): Promise<void> => dataThreads.close();
