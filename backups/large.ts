import { stat } from 'node:fs/promises';
import { fingerprint, type Fingerprint } from './sqlite/fingerprint.ts';
import { reading } from './sqlite/open.ts';
import { createThread } from './thread/client.ts';

/** Bytes from which a thread of its own costs less than it saves. */
const LARGE = 32 * 1024 ** 2;

/** What such a thread does. */
export const digestJobs = { fingerprint: (file: string): Fingerprint => reading(file, fingerprint) };

/** Counts and digests of a database that nobody writes to. A large one keeps a processor busy beside what else there is to do. */
export async function digest(file: string, signal: AbortSignal, large = LARGE): Promise<Fingerprint> {
  if ((await stat(file)).size < large) return digestJobs.fingerprint(file);
  const thread = createThread<typeof digestJobs>(
    new URL('digest-worker.ts', import.meta.url),
    (sentence) => new Error(sentence),
  );
  // It would not look up before it is done.
  const stop = () => void thread.close();
  signal.addEventListener('abort', stop);
  try {
    return await thread.run('fingerprint', file, signal);
  } finally {
    signal.removeEventListener('abort', stop);
    await thread.close();
  }
}
