import type { Generation, Generations } from '../data/types.ts';
import { replacesData } from './restore.ts';
import type { Work } from './work.ts';

/** Begins the copy that becomes the next generation while visitors still write, so that the hold need not last for all of it. */
export async function beginNext(work: Work, live: Generation): Promise<void> {
  const { tools, plan, record, config, signal } = work;
  if (plan.kind !== 'next' || replacesData(record)) return;
  work.nextCopy = (await tools.generations(config)?.begin(live)) ?? null;
  signal.throwIfAborted();
}

/** The next generation, from a copy of what is live, whose write lock is held. */
export async function takeNext(work: Work, generations: Generations, live: Generation): Promise<Generation> {
  const { nextCopy } = work;
  work.nextCopy = null;
  return nextCopy ? nextCopy.finish() : generations.copy(live);
}

/** Gives up one that was not taken. */
export async function dropNext(work: Work): Promise<void> {
  const { nextCopy } = work;
  work.nextCopy = null;
  await nextCopy?.drop();
}
