import { createThread } from '../../../backups/thread/client.ts';
import { FailedError } from '../../problem.ts';
import type { DataJobs } from './jobs.ts';

/** The one thread of this room: what takes longer than a few milliseconds on a database runs there. */
export const dataThread = createThread<DataJobs>(
  new URL('worker.ts', import.meta.url),
  (sentence) => new FailedError(sentence),
);

/** Ends the thread, if it was ever started. */
export const closeDataThread = (): Promise<void> => dataThread.close();
