import { join } from 'node:path';
import type { Thread } from '../../../backups/thread/client.ts';
import type { BegunCopy, Generation } from '../types.ts';
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
  try {
    const id = (await thread.run('copiesAhead', from)) ? await thread.run('begin', { from, to }) : null;
    return {
      async complete() {
        try {
          await (id === null ? thread.run('copy', { from, to }) : thread.run('finish', { id, from, to }));
          return generation(await draft.publish());
        } finally {
          await draft.drop();
        }
      },
      async drop() {
        if (id !== null) await thread.run('giveUp', id);
        await draft.drop();
      },
    };
  } catch (error) {
    await draft.drop();
    throw error;
  }
}
