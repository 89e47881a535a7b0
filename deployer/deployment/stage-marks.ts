import type { Knex } from 'knex';
import type { Stage } from './model.ts';
import type { StageRow } from './record.ts';

/** How a stage ended. */
export type StageEnd = Pick<Stage, 'name' | 'state' | 'durationMs' | 'cause'>;

/**
 * When stages began and how they ended. Each write waits for the disk, so that an end is written with what is written next:
 * the beginning of the stage after it, or the end of all. A daemon that dies in between has lost a time, nothing more.
 */
export function createStageMarks() {
  const ends = new Map<string, StageEnd>();

  const mark = (trx: Knex, id: string, name: Stage['name'], patch: Partial<StageRow>) =>
    trx<StageRow>('stages').where({ deployment_id: id, name }).update(patch);

  /** Writes the end that is not written yet. */
  async function write(trx: Knex, id: string): Promise<void> {
    const end = ends.get(id);
    if (!end) return;
    await mark(trx, id, end.name, { state: end.state, duration_ms: end.durationMs, cause: end.cause });
    if (ends.get(id) === end) ends.delete(id);
  }

  return {
    write,

    async begin(trx: Knex, id: string, name: Stage['name'], at: string): Promise<void> {
      await write(trx, id);
      await mark(trx, id, name, { state: 'running', started_at: at, cause: null });
    },

    end: (id: string, end: StageEnd) => void ends.set(id, end),

    /** The deployment starts afresh. */
    forget: (id: string) => void ends.delete(id),

    /** Stages as they were read, with the end that is not written yet. */
    asOfNow(id: string, stages: Stage[]): Stage[] {
      const end = ends.get(id);
      return end ? stages.map((stage) => (stage.name === end.name ? end : stage)) : stages;
    },
  };
}
