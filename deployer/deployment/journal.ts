import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import { redactAll, redactedChecks, type Redact } from '../redaction.ts';
import { acceptIn, tookItsPlace, waitingIn, type Acceptance } from './accept.ts';
import { DeploymentEnded } from './ended.ts';
import { newerThan } from './gives-way.ts';
import { journalEntries, type Tell } from './journal-entries.ts';
import type { Phase } from './lifecycle.ts';
import type { Deployment, Outcome, Stage, StageName, Suite } from './model.ts';
import { toColumns, type DeploymentRecord, type Patch, type StageRow } from './record.ts';
import { readRecords } from './records.ts';
import { createStageMarks } from './stage-marks.ts';

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
  /** Takes the secrets out of what is kept, and so out of every report. */
  redact: Redact;
}) {
  const { state, clock, reports, redact } = options;
  const records = readRecords(state);
  const changes = new EventEmitter().setMaxListeners(0);
  const now = () => clock().toISOString();
  const entries = journalEntries({ records, now, reports, redact });
  const { line, audit, tell, move, end, quarantine } = entries;
  const rows = (trx: Knex = state) => entries.rows(trx);
  const changed = (id: string) => changes.emit('change', id);
  const marks = createStageMarks();

  const redactedPatch = ({ cause, logTail, ...rest }: Patch): Patch => ({
    ...rest,
    ...redactAll({ ...(cause === undefined ? {} : { cause }), ...(logTail ? { logTail } : {}) }, redact),
  });

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
      const { id, superseded } = await state.transaction((trx) =>
        acceptIn(trx, entries, { ...acceptance, request: redactAll(acceptance.request, redact) }, also),
      );
      for (const each of [...superseded, id]) changed(each);
      return records.get(id);
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

    /**
     * From the start again, unless something newer waits already: the daemon died before the switch; or it was stopped,
     * or a rehearsal gave way, neither of which is counted as an attempt.
     */
    async restart(id: string, wasStopped = false): Promise<void> {
      await state.transaction(async (trx) => {
        if (wasStopped) await rows(trx).where({ id }).decrement('attempts', 1);
        const { environment, kind } = await records.get(id, trx);
        await move(trx, id, 'waiting', { slot: null, generation: null, cause: null });
        marks.forget(id);
        await trx<StageRow>('stages')
          .where({ deployment_id: id })
          .update({ state: 'waiting', started_at: null, duration_ms: null, cause: null });
        await trx('suites').where({ deployment_id: id }).delete();
        const row = await rows(trx).where({ id }).first();
        if (!row || kind === 'rehearsal') return;
        const newer = await newerThan(trx, row, await waitingIn(rows(trx), environment));
        if (newer) await end(trx, id, { outcome: 'superseded', cause: tookItsPlace(newer.id) });
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
        ended(nothingLeft ? 'done' : 'failed', line(error));
        throw error;
      }
    },

    /** The deployment as people and programs see it, with its stages and suites; null when there is none. */
    async details(id: string): Promise<Deployment | null> {
      for (;;) {
        const before = marks.writes();
        const found = await records.details(id);
        if (before === marks.writes()) return found && { ...found, stages: marks.asOfNow(id, found.stages) };
      }
    },

    async note(id: string, patch: Patch): Promise<void> {
      await rows()
        .where({ id })
        .update(toColumns(redactedPatch(patch)));
      changed(id);
    },

    async suites(id: string, suites: Suite[]): Promise<void> {
      await marks.written(state, id, async (trx) => {
        const before = await records.suitesOf(id, trx);
        await trx('suites').where({ deployment_id: id }).delete();
        if (suites.length > 0) {
          await trx('suites').insert(
            suites.map((suite, position) => {
              const ran = redactedChecks(suite, redact);
              // The same result again is told beside those that came since: it did not run again.
              const { at = now() } =
                before.find((known) => isDeepStrictEqual({ ...known, at: 0 }, { ...ran, at: 0 })) ?? {};
              return { deployment_id: id, position, report: JSON.stringify({ ...ran, at }) };
            }),
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

    /** @param how `isTransient`: by no fault of the commit; `also` runs in the same transaction */
    async finish(
      id: string,
      outcome: Outcome,
      cause: string | null,
      { also, isTransient = false }: { also?: (trx: Knex) => Promise<void>; isTransient?: boolean } = {},
    ): Promise<void> {
      await marks.written(state, id, async (trx) => {
        await end(trx, id, { outcome, cause, isTransient });
        await also?.(trx);
      });
      changed(id);
    },

    audit: (entry: Parameters<typeof audit>[1]) => audit(state, entry),
    quarantine: (record: Parameters<typeof quarantine>[1]) => quarantine(state, record),
  };
}
