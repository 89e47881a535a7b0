import { join } from 'node:path';
import type { Thread } from '../../../backups/thread/client.ts';
import { syncToDisk } from '../../../backups/sqlite/copy.ts';
import type { BegunCopy, Generation } from '../types.ts';
import { beginFiles, type BegunFiles } from './copy.ts';
import type { GenerationDirectory } from './directory.ts';
import type { DataJobs } from './jobs.ts';

/** Makes all of a copy that can be made while others write; see `Generations.beginCopy`. */
export async function beginCopy(parts: {
  thread: Thread<DataJobs>;
  directory: GenerationDirectory;
  file: string;
  from: string;
  generation: (id: string) => Generation;
}): Promise<BegunCopy> {
  const { thread, directory, file, from, generation } = parts;
  const draft = await directory.begin();
  const to = join(draft.directory, file);
  let begun: BegunFiles | null = null;
  const drop = async () => {
    try {
      await begun?.drop();
    } finally {
      await draft.drop();
    }
  };
  try {
    begun = await beginFiles(thread, from, to);
    if (begun) await syncToDisk(to);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    async complete() {
      try {
        await (begun ? begun.complete() : thread.run('copy', { from, to }));
        return generation(await draft.publish('durable'));
      } finally {
        await draft.drop();
      }
    },
    drop,
  };
}
