import type { Knex } from 'knex';
import type { Stage, StageName } from './model.ts';
import type { StageRow } from './record.ts';

type Mark = Partial<Pick<StageRow, 'state' | 'started_at' | 'duration_ms' | 'cause'>>;

/** A daemon that finds them begun goes on there; what comes before the switch it begins anew. */
const CONTINUED: readonly StageName[] = ['settle', 'finish'];

/**
 * When stages began and how they ended. Each write waits for the disk, so that they are kept here until something else of
 * the deployment is written: its suites, its phase, its end. A daemon that dies in between has lost times, nothing more.
 */
export function createStageMarks() {
  const kept = new Map<string, Map<StageName, Mark>>();
  let writes = 0;
  const of = (id: string) => [...(kept.get(id) ?? [])];

  function keep(id: string, name: StageName, mark: Mark): void {
    const marks = kept.get(id) ?? new Map<StageName, Mark>();
    kept.set(id, marks.set(name, { ...marks.get(name), ...mark }));
  }

  /** What has not been marked anew since it was written. */
  function forgetWritten(id: string, written: ReturnType<typeof of>): void {
    const marks = kept.get(id);
    for (const [name, mark] of written) if (marks?.get(name) === mark) marks.delete(name);
    if (marks?.size === 0) kept.delete(id);
  }

  return {
    begin: (id: string, name: StageName, at: string) =>
      keep(id, name, { state: 'running', started_at: at, cause: null }),

    end: (id: string, { name, state, durationMs, cause }: Stage) =>
      keep(id, name, { state, duration_ms: durationMs, cause }),

    /** Whether a later daemon asks when it began. */
    isContinued: (name: StageName): boolean => CONTINUED.includes(name),

    /** A transaction with all that is kept of the deployment in it; that is kept on when the transaction fails. */
    async written<T>(state: Knex, id: string, run: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
      const marks = of(id);
      const result = await state.transaction(async (trx) => {
        for (const [name, mark] of marks)
          await trx<StageRow>('stages').where({ deployment_id: id, name }).update(mark);
        return run(trx);
      });
      forgetWritten(id, marks);
      writes += 1;
      return result;
    },

    /** The deployment starts afresh. */
    forget: (id: string) => void kept.delete(id),

    /** How often marks were written. What was read of the stages before one of that is neither there nor kept any more. */
    writes: () => writes,

    /** Stages as they were read, with what is not written yet. */
    asOfNow(id: string, stages: readonly Stage[]): Stage[] {
      const marks = kept.get(id);
      return stages.map((stage) => {
        const {
          state = stage.state,
          duration_ms: durationMs = stage.durationMs,
          cause = stage.cause,
        } = marks?.get(stage.name) ?? {};
        return { name: stage.name, state, durationMs, cause };
      });
    },
  };
}
