import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Knex } from 'knex';
import { oneLine } from '../problem.ts';
import type { Environment } from '../../environments/schema.ts';
import { enqueue } from '../forge/outbox.ts';
import { assertTransition, type Phase } from './lifecycle.ts';
import {
  stagesOf,
  type Deployment,
  type Kind,
  type Outcome,
  type Stage,
  type StageName,
  type Suite,
} from './model.ts';
import { readRecords, unfinished } from './records.ts';
import { createStageMarks } from './stage-marks.ts';
import {
  toColumns,
  type DeploymentRecord,
  type DeploymentRow,
  type Patch,
  type Request,
  type StageRow,
} from './record.ts';
import { DeploymentEnded } from './ended.ts';
import { isSame } from './same.ts';
import type { Tell } from './reports.ts';

export interface Acceptance {
  kind: Kind;
  environment: string;
  branch: string;
  commit: string;
  tree: string | null;
  requestedBy: string;
  automatic: boolean;
  request: Request;
  /** The environment, where it is known already. */
  config?: Environment | null;
}

/** A finished stage that was not needed, with the reason; see `Journal.stage`. */
export class Skipped {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Journal = ReturnType<typeof createJournal>;

/**
 * The only writer of a deployment's state. Each transition, its audit entry and the reports that it causes
 * are one transaction, so that nothing is told that is not so, and nothing that is so stays untold.
 */
export function createJournal(options: {
  state: Knex;
  clock: () => Date;
  /** What the forge is to be told of a deployment that was accepted, has begun or has finished. */
  reports: Tell;
}) {
  const { state, clock, reports } = options;
  const records = readRecords(state);
  const changes = new EventEmitter().setMaxListeners(0);
  const now = () => clock().toISOString();
  const rows = (trx: Knex = state) => trx<DeploymentRow>('deployments');
  const changed = (id: string) => changes.emit('change', id);
  const marks = createStageMarks();

  async function audit(
    trx: Knex,
    entry: { actor: string; action: string; environment: string; deployment: string | null; detail: string },
  ): Promise<void> {
    const { deployment, detail, ...rest } = entry;
    await trx('audit').insert({ ...rest, at: now(), deployment_id: deployment, detail: oneLine(detail) });
  }

  async function tell(trx: Knex, id: string): Promise<void> {
    const record = await records.get(id, trx);
    const replaced = record.replaced === null ? null : await records.get(record.replaced, trx);
    for (const report of reports(await described(record, trx), await records.suitesOf(id, trx), replaced))
      await enqueue(trx, report, now());
  }

  /** Until its own tree has been read, the environment is as it was. */
  async function described(record: DeploymentRecord, trx: Knex): Promise<DeploymentRecord> {
    if (record.config !== null || record.outcome !== null) return record;
    return { ...record, config: (await records.liveOf(record.environment, trx))?.config ?? null };
  }

  async function move(trx: Knex, id: string, to: Phase, columns: Partial<DeploymentRow>): Promise<void> {
    const { phase } = await records.get(id, trx);
    assertTransition(phase, to);
    await rows(trx)
      .where({ id })
      .update({ ...columns, phase: to });
  }

  async function end(trx: Knex, id: string, outcome: Outcome, cause: string | null): Promise<void> {
    const record = await records.get(id, trx);
    await move(trx, id, 'finished', {
      outcome,
      // A stage may have noted what has to be said of a success.
      ...(cause === null ? {} : { cause: oneLine(cause) }),
      finished_at: now(),
    });
    await trx<StageRow>('stages')
      .where({ deployment_id: id, state: 'waiting' })
      .update({ state: 'skipped', cause: 'not reached' });
    if (quarantines(record.kind, outcome)) await quarantine(trx, record);
    if (record.kind === 'rollback' && outcome === 'ok' && record.request.from) {
      await quarantine(trx, { ...record, commit: record.request.from });
    }
    await audit(trx, {
      actor: 'deployer',
      action: outcome,
      environment: record.environment,
      deployment: id,
      detail: cause ?? record.cause ?? `${record.kind} of ${record.commit.slice(0, 8)}`,
    });
    await tell(trx, id);
  }

  async function quarantine(
    trx: Knex,
    record: Pick<DeploymentRecord, 'environment' | 'commit' | 'id'>,
  ): Promise<void> {
    const { environment, commit, id } = record;
    await trx('quarantine')
      .insert({ environment, commit, deployment_id: id, since: now() })
      .onConflict(['environment', 'commit'])
      .merge();
  }

  return {
    ...records,

    /** Calls back with the id after each change, until the returned function is called. */
    onChange(listener: (id: string) => void): () => void {
      changes.on('change', listener);
      return () => void changes.off('change', listener);
    },

    /**
     * Stores a wanted deployment. Those of the environment that still wait give way to it; the same request again,
     * while it is not finished, is the same deployment.
     * @param also runs in the same transaction
     */
    async accept(acceptance: Acceptance, also?: (trx: Knex) => Promise<void>): Promise<DeploymentRecord> {
      const { requestedBy, request, config = null, ...rest } = acceptance;
      const id = deploymentId(clock());
      const superseded: string[] = [];
      const joined = await state.transaction(async (trx) => {
        // An older one of the same commit will not do: it gives way to what came between.
        const newest = await unfinished(trx)
          .where({ environment: rest.environment })
          .whereNot({ kind: 'rehearsal' })
          .orderBy('seq', 'desc')
          .first();
        if (newest && isSame(newest, acceptance)) {
          await also?.(trx);
          return newest.id;
        }
        const waiting = await rows(trx).where({ environment: rest.environment, phase: 'waiting' });
        await rows(trx).insert({
          ...rest,
          id,
          phase: 'waiting',
          requested_by: requestedBy,
          requested_at: now(),
          request: JSON.stringify(request),
          config: config && JSON.stringify(config),
        });
        await trx<StageRow>('stages').insert(
          stagesOf(rest.kind).map((name, position) => ({
            deployment_id: id,
            position,
            name,
            state: 'waiting',
          })),
        );
        await audit(trx, {
          actor: requestedBy,
          action: `requested ${rest.kind}`,
          environment: rest.environment,
          deployment: id,
          detail: [
            rest.commit.slice(0, 8),
            request.backup ?? '',
            request.override ? 'override' : '',
            request.reason ?? '',
          ]
            .filter(Boolean)
            .join(' · '),
        });
        if (rest.kind !== 'rehearsal') {
          for (const older of waiting.filter((row) => row.kind !== 'rehearsal')) {
            await end(trx, older.id, 'superseded', tookItsPlace(id));
            superseded.push(older.id);
          }
        }
        // After the end of the older ones: of the same commit, `pending` is the last word.
        await tell(trx, id);
        await also?.(trx);
        return id;
      });
      for (const older of [...superseded, joined]) changed(older);
      return records.get(joined);
    },

    async begin(id: string): Promise<DeploymentRecord> {
      await marks.written(state, id, async (trx) => {
        await move(trx, id, 'running', { started_at: now() });
        await rows(trx).where({ id }).increment('attempts', 1);
        await tell(trx, id);
      });
      changed(id);
      return records.get(id);
    },

    /** What has not switched is begun again, and that attempt was none. */
    async uncount(id: string): Promise<void> {
      await rows(state).where({ id, phase: 'running' }).decrement('attempts', 1);
    },

    /**
     * From the start again, unless something newer waits already: the daemon died before the switch,
     * or a rehearsal gave way, which is not counted as an attempt.
     */
    async restart(id: string, gaveWay = false): Promise<void> {
      await state.transaction(async (trx) => {
        if (gaveWay) await rows(trx).where({ id }).decrement('attempts', 1);
        const { environment, kind, seq } = await records.get(id, trx);
        await move(trx, id, 'waiting', { slot: null, generation: null, cause: null });
        marks.forget(id);
        await trx<StageRow>('stages')
          .where({ deployment_id: id })
          .update({ state: 'waiting', started_at: null, duration_ms: null, cause: null });
        await trx('suites').where({ deployment_id: id }).delete();
        const newer = await rows(trx)
          .where({ environment, phase: 'waiting' })
          .where('seq', '>', seq)
          .whereNot({ kind: 'rehearsal' })
          .first();
        if (newer && kind !== 'rehearsal') await end(trx, id, 'superseded', tookItsPlace(newer.id));
      });
      changed(id);
    },

    /** Runs a stage and records its start, end, time and cause of failure. */
    async stage<T>(id: string, name: StageName, run: () => Promise<T | Skipped>): Promise<void> {
      const began = performance.now();
      marks.begin(id, name, now());
      if (marks.isContinued(name)) await marks.written(state, id, async () => undefined);
      changed(id);
      const ended = (how: Stage['state'], cause: string | null) => {
        marks.end(id, { name, state: how, durationMs: Math.round(performance.now() - began), cause });
        changed(id);
      };
      try {
        const result = await run();
        const skipped = result instanceof Skipped ? result.reason : null;
        ended(skipped === null ? 'done' : 'skipped', skipped);
      } catch (error) {
        // A stage may find that there is nothing left to do: that is no failure of its own.
        const nothingLeft =
          error instanceof DeploymentEnded && (error.outcome === 'deployed' || error.outcome === 'ok');
        ended(nothingLeft ? 'done' : 'failed', oneLine(error));
        throw error;
      }
    },

    /** The deployment as people and programs see it, with its stages and suites; null when there is none. */
    async details(id: string): Promise<Deployment | null> {
      const found = await records.details(id);
      return found && { ...found, stages: marks.asOfNow(id, found.stages) };
    },

    async note(id: string, patch: Patch): Promise<void> {
      await rows().where({ id }).update(toColumns(patch));
      changed(id);
    },

    async suites(id: string, suites: Suite[]): Promise<void> {
      await marks.written(state, id, async (trx) => {
        await trx('suites').where({ deployment_id: id }).delete();
        if (suites.length > 0) {
          await trx('suites').insert(
            suites.map((suite, position) => ({ deployment_id: id, position, report: JSON.stringify(suite) })),
          );
        }
      });
      changed(id);
    },

    async phase(id: string, to: Phase): Promise<void> {
      await marks.written(state, id, (trx) => move(trx, id, to, {}));
      changed(id);
    },

    /** Visitors reach it from now on: its environment says so, in the same transaction. */
    async live(id: string): Promise<void> {
      await marks.written(state, id, async (trx) => {
        const { environment } = await records.get(id, trx);
        await move(trx, id, 'live', { live_at: now() });
        await trx('environments').where({ name: environment }).update({ live_deployment: id });
        await tell(trx, id);
      });
      changed(id);
    },

    /** Taken back: what was live before is live again, in its slot, on `generation`. */
    async takenBack(
      id: string,
      previous: string,
      where: Pick<DeploymentRecord, 'slot' | 'generation'>,
    ): Promise<void> {
      await state.transaction(async (trx) => {
        const { environment } = await records.get(id, trx);
        await rows(trx).where({ id: previous }).update(where);
        await trx('environments').where({ name: environment }).update({ live_deployment: previous });
      });
      changed(id);
    },

    async finish(
      id: string,
      outcome: Outcome,
      cause: string | null,
      also?: (trx: Knex) => Promise<void>,
    ): Promise<void> {
      await marks.written(state, id, async (trx) => {
        await end(trx, id, outcome, cause);
        await also?.(trx);
      });
      changed(id);
    },

    audit: (entry: Parameters<typeof audit>[1]) => audit(state, entry),
    quarantine: (record: Parameters<typeof quarantine>[1]) => quarantine(state, record),
  };
}

/** A commit that failed is never deployed again by itself; a refusal or a newer commit is not its failure. */
function quarantines(kind: Kind, outcome: Outcome): boolean {
  return (
    kind === 'deploy' &&
    (outcome === 'rejected' || outcome === 'rolled_back' || outcome === 'needs_attention')
  );
}

const tookItsPlace = (newer: string) => `a newer request, ${newer}, took its place`;

/** Sortable, and safe in paths and unit names: 20261120-194403-1f9a3c. */
function deploymentId(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${randomBytes(3).toString('hex')}`;
}
