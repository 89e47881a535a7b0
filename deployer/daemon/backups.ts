import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMAND } from '../command.ts';
import {
  addFiles,
  removeAdded,
  BackupError,
  createBackup,
  describeBackup,
  listBackups,
  pruneBackups,
  removeBackup,
  restoreDatabase,
  sweepTemporaries,
  verifyBackup,
} from '../../backups/index.ts';
import type { Environment } from '../../environments/schema.ts';
import type { Generations } from '../data/types.ts';
import { filesOf } from '../deployment/environment-of.ts';
import type { BackupTools, Live, Tools } from '../deployment/work.ts';
import { FailedError, oneLine } from '../problem.ts';
import type { Background } from './background.ts';

export const backupsOf = (home: string, environment: string) => join(home, 'backups', environment);

/** What the backups' room says, as the operator's sentence. */
export async function sentence<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BackupError) throw new FailedError(oneLine(error), { cause: error });
    throw error;
  }
}

/** Backups of what is live, for the pipeline. */
export function backupTools(options: {
  home: string;
  generations: (environment: Environment) => Generations | null;
  clock: () => Date;
  background: Pick<Background, 'giveWay'>;
}): BackupTools {
  const { home, generations, clock, background } = options;
  const databaseOf = (config: Environment): Generations => {
    const all = generations(config);
    if (!all) throw new FailedError(`${config.name} has no database to restore into`);
    return all;
  };
  return {
    giveWay: (environment) => background.giveWay(environment),

    async create({ live, kind, withFiles, signal }) {
      const { record, config } = live;
      const made = createBackup({
        directory: backupsOf(home, config.name),
        databaseFile: databaseFile(live, withFiles),
        kind,
        config,
        signal,
        filesDirectory: withFiles ? filesOf(home, config.name) : null,
        gitTag: `commit ${record.commit}\ntree ${record.tree ?? ''}\ntag ${record.tag ?? ''}\n`,
        schemaVersion: record.applied?.at(-1) ?? null,
        now: clock(),
      });
      return (await sentence(made)).id;
    },

    remove: (environment, backup) => removeBackup(backupsOf(home, environment), backup),

    async prepare(environment, backup, signal) {
      const which = { directory: backupsOf(home, environment), id: backup };
      const { checks } = await sentence(verifyBackup(which, signal));
      const failed = checks.find(({ success }) => !success);
      if (failed)
        throw new FailedError(
          `the backup ${backup} is damaged: ${failed.name}: expected ${failed.expected}, got ${failed.actual}`,
        );
      const { archive, schemaVersion } = await sentence(describeBackup(which));
      return { schemaVersion, hasFiles: archive !== null };
    },

    async addFiles({ environment, backup, to, signal }) {
      const directory = backupsOf(home, environment);
      const which = {
        directory,
        id: backup,
        toDirectory: 'directory' in to ? to.directory : filesOf(home, environment),
      };
      const list = 'deployment' in to ? join(directory, `${backup}.added-${to.deployment}.json`) : null;
      return sentence(addFiles({ ...which, list }, signal));
    },

    async removeAdded(environment, deployment) {
      const directory = backupsOf(home, environment);
      const lists = await readdir(directory).catch(() => []);
      for (const name of lists.filter((each) => each.endsWith(`.added-${deployment}.json`)))
        await removeAdded(join(directory, name), filesOf(home, environment));
    },

    async restore({ config, backup, generation, signal }) {
      const all = databaseOf(config);
      if (generation !== null) return all.copy(all.open(generation));
      const directory = backupsOf(home, config.name);
      return all.fill((toFile) => sentence(restoreDatabase({ directory, id: backup, toFile }, signal)));
    },

    async saveDropped({ config, now, instead, file }) {
      const path = join(backupsOf(home, config.name), file);
      // A daemon that died may have begun it already.
      await rm(path, { force: true });
      return databaseOf(config).changes(now, instead, path);
    },

    async removeDropped(environment, deployment) {
      const directory = backupsOf(home, environment);
      const saved = (await readdir(directory)).filter((name) =>
        name.endsWith(`.dropped-${deployment}.jsonl`),
      );
      for (const name of saved) await rm(join(directory, name), { force: true });
    },
  };
}

/** Removes what the rules of retention let go, which the audit trail tells. */
export async function pruneBackupsOf(
  { home, journal, clock, ageClock }: Pick<Tools, 'home' | 'journal' | 'clock' | 'ageClock'>,
  { name, backups: { keep } }: Environment,
): Promise<void> {
  const directory = backupsOf(home, name);
  const pruned = await sentence(pruneBackups({ directory, keep, now: clock(), agedAt: ageClock() }));
  for (const detail of pruned)
    await journal.audit({
      actor: 'deployer',
      action: 'pruned backup',
      environment: name,
      deployment: null,
      detail,
    });
}

/** What a daemon that died left of backups, exports and restored files; what another process makes now stays. */
export async function clearUnfinishedBackups(home: string): Promise<void> {
  const entries = await readdir(join(home, 'backups'), { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.isDirectory()))
    await sweepTemporaries(backupsOf(home, name));
  await sweepTemporaries(join(home, 'files'));
}

/** Backups whose manifest is damaged are in no list: a person has to look. */
export async function damagedBackups(home: string, environment: string): Promise<string[]> {
  const { unreadable } = await listBackups(backupsOf(home, environment));
  return unreadable.map(
    (id) => `${environment}: the backup ${id} is damaged: see ${COMMAND} backup verify ${environment} ${id}`,
  );
}

function databaseFile({ generation, config }: Live, withFiles: boolean): string | null {
  const file = generation?.env['DATABASE_FILE'];
  if (file !== undefined) return file;
  if (withFiles) return null;
  throw new FailedError(`${config.name} has no database to back up`);
}
