import type { Knex } from 'knex';
import type { Unfinished } from './lifecycle.ts';
import type { Deployment, Outcome, StageName, Suite } from './model.ts';
import { reproduce } from './reports/reproduce.ts';
import type { RanMigration } from './row-changes.ts';
import {
  toRecord,
  toStage,
  toSuite,
  type RanSuite,
  toSummary,
  type DeploymentRecord,
  type DeploymentRow,
  type StageRow,
  type SuiteRow,
} from './record.ts';

/** More than are given in a day: a new one has to differ from those of its day. */
const MOST_TAGS = 1000;

/** Those that are not over: few, and found by an index that holds no others. */
export const unfinished = (state: Knex) =>
  state<DeploymentRow>('deployments').whereRaw("phase <> 'finished'");

/** The places of those whose commit begins with these hexadecimal digits: told so, an index finds them in either store. */
const ofCommit = (state: Knex, digits: string) =>
  state<DeploymentRow>('deployments')
    .where('commit', '>=', digits)
    .where('commit', '<', `${digits}g`)
    .select('seq');

export type Records = ReturnType<typeof readRecords>;

/** Reading what the journal wrote. */
export function readRecords(state: Knex) {
  const rows = (trx: Knex = state) => trx<DeploymentRow>('deployments');

  async function suitesOf(id: string, trx: Knex = state): Promise<RanSuite[]> {
    return (await trx<SuiteRow>('suites').where({ deployment_id: id }).orderBy('position')).map(toSuite);
  }

  return {
    suitesOf,

    async get(id: string, trx: Knex = state): Promise<DeploymentRecord> {
      const row = await rows(trx).where({ id }).first();
      if (!row) throw new Error(`there is no deployment ${id}`);
      return toRecord(row);
    },

    /** The deployment as people and programs see it, with its stages and suites; null when there is none. */
    async details(id: string): Promise<Deployment | null> {
      const row = await rows().where({ id }).first();
      if (!row) return null;
      const stages = await state<StageRow>('stages').where({ deployment_id: id }).orderBy('position');
      const record = toRecord(row);
      const suites = (await suitesOf(id)).map(({ name, success, durationMs, checks }): Suite => ({
        name,
        success,
        durationMs,
        checks,
      }));
      const commands = reproduce(record, suites);
      return {
        ...toSummary(row),
        stages: stages.map(toStage),
        suites,
        ...(record.logTail.length > 0 ? { logTail: record.logTail } : {}),
        ...(commands.length > 0 ? { reproduce: commands } : {}),
      };
    },

    /** The backups that restores took of what they replaced: nobody who asks for the newest means these. */
    async takenByRestores(environment: string): Promise<ReadonlySet<string>> {
      const taken = await rows()
        .where({ environment })
        .whereRaw("kind = 'restore'")
        .whereNotNull('backup')
        .select('backup');
      return new Set(taken.flatMap(({ backup }) => backup ?? []));
    },

    /** ISO 8601; null when it has not begun. */
    async stageBegan(id: string, name: StageName): Promise<string | null> {
      const row = await state<StageRow>('stages').where({ deployment_id: id, name }).first();
      return row?.started_at ?? null;
    },

    /** Newest first, at most `most`; `before`: the place that they have to be before. `commit` may be its first digits. */
    async page(wanted: {
      environment: string | undefined;
      commit: string | undefined;
      outcome: Outcome | undefined;
      before: number | undefined;
      most: number;
    }): Promise<DeploymentRow[]> {
      const { environment, commit, outcome, before, most } = wanted;
      const query = rows().orderBy('seq', 'desc').limit(most);
      if (environment !== undefined) void query.where({ environment });
      if (commit !== undefined) void query.whereIn('seq', ofCommit(state, commit));
      if (outcome !== undefined) void query.where({ outcome });
      if (before !== undefined) void query.where('seq', '<', before);
      return query;
    },

    /** The newest that went live in an environment, and that one can go back to, by the first digits of its commit or its tag. */
    async wasLive(
      environment: string,
      wanted: { commit: string } | { version: string },
    ): Promise<DeploymentRecord | null> {
      const earlier = rows()
        .where({ environment })
        .whereNotNull('live_at')
        .whereNotNull('slot')
        .whereIn('outcome', ['deployed', 'ok']);
      if ('commit' in wanted) void earlier.whereIn('seq', ofCommit(state, wanted.commit));
      else void earlier.where({ tag: wanted.version });
      const row = await earlier.orderBy('seq', 'desc').first();
      return row ? toRecord(row) : null;
    },

    /** The newest deployment in one of the phases, or null; rehearsals, which make nothing live, are left out. */
    async newest(environment: string, phases: readonly Unfinished[]): Promise<DeploymentRecord | null> {
      const row = await unfinished(state)
        .where({ environment })
        .whereIn('phase', phases)
        .whereNot({ kind: 'rehearsal' })
        .orderBy('seq', 'desc')
        .first();
      return row ? toRecord(row) : null;
    },

    /** What is to begin next, or null: what a person has asked for goes before what came by itself. */
    async next(environment: string): Promise<DeploymentRecord | null> {
      const found = await unfinished(state).where({ environment, phase: 'waiting' }).orderBy('seq', 'desc');
      const waiting = found.map(toRecord).filter(({ kind }) => kind !== 'rehearsal');
      return waiting.find(({ automatic }) => !automatic) ?? waiting[0] ?? null;
    },

    /** The rehearsals in one of the phases, oldest first. */
    async rehearsals(phases: readonly Unfinished[]): Promise<DeploymentRecord[]> {
      const found = await unfinished(state).whereIn('phase', phases).orderBy('seq');
      return found.filter(({ kind }) => kind === 'rehearsal').map(toRecord);
    },

    /** The newest rehearsal that somebody asked for in an environment, or null. */
    async newestRehearsal(environment: string, requestedBy: string): Promise<DeploymentRecord | null> {
      const row = await rows()
        .where({ environment, kind: 'rehearsal', requested_by: requestedBy })
        .orderBy('seq', 'desc')
        .first();
      return row ? toRecord(row) : null;
    },

    /** The names of the tags that were given last, those that the forge has not made yet included. */
    async tags(): Promise<string[]> {
      const newest = rows().whereNotNull('tag').orderBy('seq', 'desc').limit(MOST_TAGS);
      return (await newest.select('tag')).flatMap(({ tag }) => tag ?? []);
    },

    /** The newest that was given a tag in the environment, or null. */
    async newestTagged(environment: string): Promise<DeploymentRecord | null> {
      const tagged = rows().where({ environment, outcome: 'deployed' }).whereNotNull('tag');
      const row = await tagged.orderBy('seq', 'desc').first();
      return row ? toRecord(row) : null;
    },

    /** What ran when each of these migrations was last made live in an environment, run by run, oldest first. */
    async ranLive(environment: string, names: readonly string[]): Promise<RanMigration[][]> {
      const wanted = new Set(names);
      const found = await rows()
        .where({ environment })
        .whereNotNull('live_at')
        .whereNotNull('ran')
        .orderBy('seq', 'desc');
      return found
        .map((row) => toRecord(row).ran.filter(({ name }) => wanted.delete(name)))
        .filter((run) => run.length > 0)
        .toReversed();
    },

    async inPhases(phases: readonly Unfinished[]): Promise<DeploymentRecord[]> {
      return (await unfinished(state).whereIn('phase', phases).orderBy('seq')).map(toRecord);
    },

    async liveOf(environment: string, trx: Knex = state): Promise<DeploymentRecord | null> {
      const live = trx('environments').where({ name: environment }).whereNotNull('live_deployment');
      const row = await rows(trx).whereIn('id', live.select('live_deployment')).first();
      return row ? toRecord(row) : null;
    },
  };
}
