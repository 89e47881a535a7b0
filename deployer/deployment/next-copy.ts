import type { BegunCopy, Generation, Generations } from '../data/types.ts';
import { replacesData } from './restore.ts';
import type { Work } from './work.ts';

/** Begins what becomes the next generation while visitors still write, so that the hold need not last for all of it. */
export async function beginNext(work: Work, live: Generation): Promise<void> {
  const { tools, config, signal } = work;
  const generations = tools.generations(config);
  work.nextCopy = generations && (await begun(work, generations, live));
  signal.throwIfAborted();
}

async function begun(work: Work, generations: Generations, live: Generation): Promise<BegunCopy | null> {
  const { tools, plan, record, config, signal, log } = work;
  if (plan.kind === 'next') return replacesData(record) ? null : generations.beginCopy(live);
  if (plan.kind !== 'restore') return null;
  // Nothing that is live changes a backup. Its files, too, before any write has to wait for them.
  if (plan.files) {
    const to = { deployment: record.id };
    const files = await tools.backups.addFiles({ environment: config.name, backup: plan.backup, to, signal });
    log(`files of the backup: ${files.added} put back, ${files.kept} were there and stay`);
  }
  const restored = await tools.backups.restore({ config, ...plan, signal });
  return { complete: () => Promise.resolve(restored), drop: () => generations.remove(restored) };
}

/** The next generation, from what was begun; the write lock of what is live is held. */
export async function takeNext(work: Work): Promise<Generation> {
  const { nextCopy } = work;
  if (!nextCopy) throw new Error('the next generation was not begun before the hold');
  work.nextCopy = null;
  return nextCopy.complete();
}

/** Gives up one that was not taken. */
export async function dropNext(work: Work): Promise<void> {
  const { nextCopy } = work;
  work.nextCopy = null;
  await nextCopy?.drop();
}
