import type { Generation, Generations } from '../../data/types.ts';
import { Skipped } from '../journal.ts';
import { applyPlan } from '../migration.ts';
import { takeNext } from '../next-copy.ts';
import { saveDropped } from '../restore.ts';
import type { Work } from '../work.ts';

/** The next generation of the database, from a copy of the still one; what is live stays as it is. */
export async function migrateNext(work: Work): Promise<Skipped | void> {
  const { tools, live, config, plan } = work;
  const generations = tools.generations(config);
  if (!generations) return new Skipped('the environment has no database');
  if (plan.kind === 'same' && live?.generation) {
    work.generation = live.generation;
    work.applied = live.record.applied ?? [];
    return new Skipped('no migration is pending');
  }
  work.generation = await nextGeneration(work, generations);
  work.ownsGeneration = true;
  await tools.journal.note(work.record.id, { generation: work.generation.id });
  await applyPlan(work, work.generation);
  if (plan.kind === 'restore' && live?.generation)
    await saveDropped(work, plan, { now: live.generation, instead: work.generation });
}

async function nextGeneration(work: Work, generations: Generations): Promise<Generation> {
  const { plan, live } = work;
  return plan.kind === 'create' || !live?.generation ? generations.create() : takeNext(work);
}
