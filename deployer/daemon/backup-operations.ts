import type { Knex } from 'knex';
import { exportSql, listBackups, verifyBackup } from '../../backups/index.ts';
import type { Conductor } from '../deployment/conductor.ts';
import { firstFailure } from '../deployment/reports/words.ts';
import type { Live, Tools } from '../deployment/work.ts';
import type { Backup, DrillReport, Operations } from '../operations.ts';
import { oneLine, RefusedError, UsageError } from '../problem.ts';
import type { Background } from './background.ts';
import { demandUnlocked } from './unlocked.ts';
import { backupsOf, damagedBackups, pruneBackupsOf, sentence } from './backups.ts';
import { drill } from './drill.ts';
import type { LookUp } from './live.ts';
import type { Job, Standing } from './schedule.ts';

const PATIENCE_MS = 3_600_000;
const DRILLED = 'drilled backup';
const DRILL_FAILED = 'drill failed';

interface DrillRow {
  id: number;
  at: string;
  detail: string;
}

export type BackupOperations = ReturnType<typeof backupOperations>;

/** What can be asked of backups, by people and by the schedule. */
export function backupOperations(parts: {
  state: Knex;
  tools: Tools;
  conductor: Pick<Conductor, 'kick' | 'runs'>;
  background: Background;
  lookUp: LookUp;
}) {
  const { state, tools, conductor, background, lookUp } = parts;
  const { journal, home } = tools;

  const listed = async (environment: string): Promise<Backup[]> =>
    (await listBackups(backupsOf(home, environment), tools.clock())).backups;

  /** @throws UsageError when there is no such backup; a damaged one is there */
  async function which(
    environment: string,
    id: string | null,
    except: ReadonlySet<string> = new Set(),
  ): Promise<{ directory: string; id: string }> {
    await lookUp.known(environment);
    const directory = backupsOf(home, environment);
    const { backups, unreadable } = await listBackups(directory, tools.clock());
    const newest = backups.find((backup) => !except.has(backup.id));
    if (id === null && newest) return { directory, id: newest.id };
    const ids = [...backups.map((backup) => backup.id), ...unreadable];
    if (id !== null && ids.includes(id)) return { directory, id };
    throw new UsageError(
      id === null
        ? `there is no backup of ${environment} yet; see backup create ${environment}`
        : `there is no backup ${id} of ${environment}; see backup list ${environment}`,
    );
  }

  async function find(environment: string, id: string): Promise<Backup | undefined> {
    return (await listed(environment)).find((backup) => backup.id === id);
  }

  async function take(
    live: Live,
    { kind, withFiles, by }: { kind: Backup['kind']; withFiles: boolean; by: string },
    signal: AbortSignal,
  ): Promise<Backup> {
    const { name } = live.config;
    const id = await tools.backups.create({ live, kind, withFiles, signal });
    await note(name, by, 'created backup', id);
    const backup = await find(name, id);
    if (!backup) throw new Error(`backup ${id} is not there`);
    return backup;
  }

  const note = (environment: string, actor: string, action: string, detail: string) =>
    journal.audit({ actor, action, environment, deployment: null, detail });

  async function runDrill(live: Live, id: string, by: string, signal: AbortSignal): Promise<DrillReport> {
    const { name } = live.config;
    try {
      const suites = await drill(tools, await lookUp.contextOf(live, signal), id);
      signal.throwIfAborted();
      const failure = firstFailure(suites);
      await note(
        name,
        by,
        failure === null ? DRILLED : DRILL_FAILED,
        failure === null ? id : `${id}: ${failure}`,
      );
      const backup = (await find(name, id)) ?? { id, kind: 'manual', verifiedAt: '' };
      return { ...backup, success: failure === null, suites };
    } catch (error) {
      if (!signal.aborted) await note(name, by, DRILL_FAILED, `${id}: ${oneLine(error)}`);
      throw error;
    }
  }

  async function lastDrill(environment: string) {
    const newest = async (action: string): Promise<DrillRow | undefined> =>
      state('audit').where({ environment, action }).orderBy('id', 'desc').first();
    // One at a time, because an index has the newest of an action at its end.
    const [good, bad] = [await newest(DRILLED), await newest(DRILL_FAILED)];
    const row = bad === undefined || (good && good.id > bad.id) ? good : bad;
    return row ? { at: row.at, success: row === good, detail: row.detail } : null;
  }

  async function problemsOf(environment: string): Promise<string[]> {
    const last = await lastDrill(environment);
    const failed =
      last?.success === false ? [`${environment}: the last drill failed: backup ${last.detail}`] : [];
    // A directory that cannot be read is the schedule's to tell.
    return [...failed, ...(await damagedBackups(home, environment).catch(() => []))];
  }

  return {
    operations: {
      async backups(environment) {
        await lookUp.known(environment);
        return listed(environment);
      },

      async createBackup(environment, { full = false, by }) {
        const what = { kind: 'manual', withFiles: full, by } as const;
        return take(await lookUp.live(environment), what, AbortSignal.timeout(PATIENCE_MS));
      },

      async verifyBackup(environment, asked) {
        const found = await which(environment, asked);
        const { success, checks } = await sentence(verifyBackup(found, AbortSignal.timeout(PATIENCE_MS)));
        const { id } = found;
        return { id, kind: null, verifiedAt: null, ...(await find(environment, id)), success, checks };
      },

      async restoreBackup(environment, asked, { by, reason }) {
        const { record, generation } = await lookUp.live(environment);
        const { id } = await which(environment, asked, await journal.takenByRestores(environment));
        if (!generation) throw new RefusedError(`${environment} has no database to restore into`);
        await demandUnlocked(tools.policy, environment);
        const { branch, commit, tree } = record;
        const accepted = await journal.accept({
          kind: 'restore',
          environment,
          branch,
          commit,
          tree,
          requestedBy: by,
          automatic: false,
          request: { backup: id, reason },
        });
        await conductor.kick(environment);
        const details = await journal.details(accepted.id);
        if (!details) throw new Error(`there is no deployment ${accepted.id}`);
        return details;
      },

      async exportBackup(environment, asked, to) {
        await sentence(exportSql(await which(environment, asked), to));
      },

      async drill(environment, asked, by) {
        const live = await lookUp.live(environment);
        const { id } = await which(environment, asked);
        if (!live.generation) throw new RefusedError(`${environment} has no database to restore into`);
        if (conductor.runs(environment))
          throw new RefusedError(`a deployment runs in ${environment}; ask again when it is over`);
        const report = await background.run(environment, (signal) => runDrill(live, id, by, signal));
        if (report) return report;
        throw new RefusedError(
          `a scheduled backup or a drill of ${environment} runs; ask again when it is over`,
        );
      },
    } satisfies Partial<Operations>,

    async problems(): Promise<string[]> {
      return (await Promise.all((await lookUp.names()).map(problemsOf))).flat();
    },

    /** For the schedule. */
    standingOf: async (environment: string): Promise<Standing | null> => {
      const live = await lookUp.liveOrNull(environment);
      if (!live) return null;
      const first: { at: string } | undefined = await state('audit')
        .where({ environment })
        .orderBy('id')
        .first('at');
      return {
        schedule: live.config.backups.schedule,
        hasDatabase: live.generation !== null,
        backups: await listed(environment),
        drill: await lastDrill(environment),
        since: first?.at ?? live.record.requestedAt,
      };
    },

    /** For the schedule. A drill that finds something wrong has been made: the audit trail and `problems` tell it. */
    perform: async (environment: string, job: Job, signal: AbortSignal): Promise<Backup> => {
      const live = await lookUp.live(environment);
      if (job === 'drill') return runDrill(live, (await which(environment, null)).id, 'schedule', signal);
      const what = { kind: job, withFiles: job === 'full', by: 'schedule' };
      const made = await take(live, what, signal);
      await pruneBackupsOf(tools, live.config);
      return made;
    },
  };
}
