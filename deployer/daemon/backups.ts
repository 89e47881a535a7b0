import { join } from 'node:path';
import type { Generations } from '../data/types.ts';
import type { BackupTools, Live } from '../deployment/work.ts';
import type { Environment } from '../../environments/schema.ts';
import { createBackup, restoreDatabase } from '../../backups/index.ts';
import { FailedError } from '../problem.ts';

export const backupsOf = (home: string, environment: string) => join(home, 'backups', environment);

/** Backups of what is live, for the pipeline. */
export function backupTools(options: {
  home: string;
  generations: (environment: Environment) => Generations | null;
  clock: () => Date;
}): BackupTools {
  const { home, generations, clock } = options;
  return {
    async create({ live, kind, signal }) {
      const { record, config } = live;
      const { id } = await createBackup({
        directory: backupsOf(home, config.name),
        databaseFile: databaseFile(live),
        kind,
        config,
        signal,
        filesDirectory: kind === 'full' ? join(home, 'files', config.name) : null,
        gitTag: `commit ${record.commit}\ntree ${record.tree ?? ''}\ntag ${record.tag ?? ''}\n`,
        schemaVersion: record.applied?.at(-1) ?? null,
        now: clock(),
      });
      return id;
    },

    async restore({ config, backup, live }) {
      const all = generations(config);
      if (!all || !live.generation) throw new FailedError(`${config.name} has no database to restore into`);
      const directory = backupsOf(home, config.name);
      const generation = await all.fill((file) => restoreDatabase({ directory, id: backup, toFile: file }));
      const stamp = clock().toISOString().replaceAll(':', '-').replace(/\..*/, '');
      const dropped = await all.changes(
        live.generation,
        generation,
        join(directory, `${backup}.dropped-${stamp}.jsonl`),
      );
      return { generation, dropped };
    },
  };
}

function databaseFile({ generation, config }: Live): string {
  const file = generation?.env['DATABASE_FILE'];
  if (!file) throw new FailedError(`${config.name} has no database to back up`);
  return file;
}
