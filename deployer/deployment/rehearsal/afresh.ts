import type { Generation, Generations } from '../../data/types.ts';
import { verifyWork } from '../expectations/verify.ts';
import { stop } from '../instance.ts';
import { applyPlan, contextOf } from '../migration.ts';
import type { Suite } from '../model.ts';
import type { Work } from '../work.ts';
import { bootOn } from './boot-on.ts';

/**
 * Where there is no data yet: the release on a database made from nothing, as its first deployment would make it,
 * or without one.
 */
export async function rehearseAfresh(
  work: Work,
  generations: Generations | null,
  files: string,
): Promise<Suite[]> {
  if (!generations) return tryOn(work, { id: 'none', env: { FILES_DIR: files } });
  const fresh = await generations.create();
  try {
    work.plan = { kind: 'create' };
    await applyPlan(work, fresh);
    await work.tools.journal.note(work.record.id, { ran: work.ran });
    return await tryOn(work, fresh);
  } finally {
    await generations.remove(fresh);
  }
}

async function tryOn(work: Work, generation: Generation): Promise<Suite[]> {
  const { tools, config } = work;
  const instance = await bootOn(work, contextOf(work), generation, 'rehearsal');
  try {
    return await verifyWork(work, { instance, generation, suites: config.verify.suites ?? [] });
  } finally {
    await stop(tools, instance, 0);
  }
}
