import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedError } from '../../problem.ts';
import type { Generation, Generations } from '../types.ts';
import { beginCopy } from './begin-copy.ts';
import { copyWhole } from './copy.ts';
import { GenerationDirectory, isGenerationId, type Publishing } from './directory.ts';
import { lockDatabase } from './lock.ts';
import { dataThreads } from './thread.ts';

/** One per directory and process, so that each knows what the others are filling. */
const directories = new Map<string, GenerationDirectory>();

/**
 * The generations of an SQLite database: `<home>/data/<environment>/<generation>/<file>`.
 * Everything that reads or writes a whole database runs in a thread of their own.
 */
export function sqliteGenerations(options: { home: string; environment: string; file: string }): Generations {
  const { environment, file } = options;
  const path = join(options.home, 'data', environment);
  const directory = directories.get(path) ?? new GenerationDirectory(path);
  directories.set(path, directory);
  const thread = dataThreads.of(path);
  const fileOf = ({ id }: { id: string }) => join(directory.pathOf(checked(id, environment)), file);
  const generation = (id: string): Generation => ({ id, env: { DATABASE_FILE: fileOf({ id }) } });
  const add = async (fill: (databaseFile: string) => Promise<void>, how: Publishing = 'durable') =>
    generation(await directory.add((temporary) => fill(join(temporary, file)), how));

  return {
    create: () => add((to) => thread.run('create', to)),
    copy: (from) => add((to) => copyWhole(thread, fileOf(from), to)),
    draft: (from) => add((to) => copyWhole(thread, fileOf(from), to), 'passing'),
    fill: (fill) => add(fill),
    beginCopy: async (from) => beginCopy({ thread, directory, file, from: fileOf(from), generation }),
    copiesAhead: (from) => thread.run('copiesAhead', fileOf(from)),
    open: (id) => {
      if (directory.has(id)) return generation(id);
      throw new FailedError(
        `the generation ${id} of ${environment} is not there: ${directory.path} has none`,
      );
    },
    list: () => directory.list(),
    setCurrent: ({ id }) => directory.setCurrent(checked(id, environment)),
    remove: async ({ id }) => {
      if ((await directory.current()) === id) {
        throw new FailedError(`the generation ${id} is the current one of ${environment}; it is not removed`);
      }
      await directory.remove(checked(id, environment));
    },
    sweep: async (keep) => {
      await directory.removeLeftovers();
      const current = await directory.current();
      const ids = await directory.list();
      for (const id of ids) if (id !== current && !keep.has(id)) await directory.remove(id);
    },
    lock: (which, timeoutMs) => lockDatabase(fileOf(which), environment, timeoutMs),
    fingerprint: (which) => thread.run('fingerprint', fileOf(which)),
    rows: (which) => thread.run('rows', fileOf(which)),
    schema: (which) => thread.run('schema', fileOf(which)),
    compare: (before, after, except) =>
      thread.run('compare', { before: fileOf(before), after: fileOf(after), except }),
    sound: (which) => thread.run('sound', fileOf(which)),
    changes: (now, earlier, to) =>
      thread.run('changes', { now: fileOf(now), earlier: fileOf(earlier), file: to }),
    lastAudited: (which) => thread.run('lastAudited', fileOf(which)),
    unasked: (which, asked) => thread.run('unasked', { file: fileOf(which), asked }),
    watch: async (which) => {
      const id = await thread.run('watch', fileOf(which));
      return {
        changed: (except = new Set(), where = which) =>
          thread.run('watched', { id, file: fileOf(where), except }),
        end: () => thread.run('unwatch', id),
      };
    },
    mark: (which, tables) => thread.run('mark', { file: fileOf(which), tables }),
    size: (which) => bytesOf(fileOf(which)),
  };
}

/** An id becomes part of a path, so that nothing else passes. */
function checked(id: string, environment: string): string {
  if (isGenerationId(id)) return id;
  throw new FailedError(`${JSON.stringify(id)} is not the id of a generation of ${environment}`);
}

/** The database with its write-ahead log. */
async function bytesOf(databaseFile: string): Promise<number> {
  const main = await stat(databaseFile);
  const log = await stat(`${databaseFile}-wal`).catch(() => null);
  return main.size + (log?.size ?? 0);
}
