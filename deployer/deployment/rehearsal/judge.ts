import type { Difference, Generation, Generations, Watch } from '../../data/types.ts';
import { stop } from '../instance.ts';
import { contextOf } from '../migration.ts';
import type { Suite } from '../model.ts';
import { startOf, VERIFICATION, withChange } from '../untouched.ts';
import { verifyWork } from '../expectations/verify.ts';
import type { Instance, Work } from '../work.ts';
import { bootOn } from './boot-on.ts';

/** The new release on a copy that is watched since before it started. */
export interface Begun {
  instance: Instance;
  watch: Watch;
  bootMs: number;
}

/** Boots the new release on the copy. */
export async function begin(
  work: Work,
  generations: Generations,
  copy: Generation,
  signal: AbortSignal = work.signal,
): Promise<Begun> {
  const watch = await generations.watch(copy);
  try {
    const began = performance.now();
    const instance = await bootOn(work, contextOf(work), copy, 'rehearsal', signal);
    return { instance, watch, bootMs: performance.now() - began };
  } catch (error) {
    await watch.end();
    throw error;
  }
}

export async function end({ tools }: Pick<Work, 'tools'>, { instance, watch }: Begun): Promise<void> {
  await stop(tools, instance, 0);
  await watch.end();
}

/**
 * Verifies everything on the copy, and looks whether the data is as it was.
 * @param meanwhile called once it is known that the start itself changed nothing
 */
export async function judge(
  work: Work,
  copy: Generation,
  { instance, watch }: Begun,
  meanwhile: () => void = () => {},
): Promise<Suite[]> {
  const { config } = work;
  const atStart = await changedBy(work, watch);
  if (atStart.length === 0) meanwhile();
  const asked = { instance, generation: copy, suites: config.verify.suites ?? [] };
  const suites = await verifyWork(work, asked);
  const changed = await changedBy(work, watch);
  if (changed.length === 0) return suites;
  return withChange(suites, changed, atStart.length > 0 ? startOf(work) : VERIFICATION);
}

/** In its database, and among its files. */
const changedBy = async ({ files }: Work, watch: Watch): Promise<Difference[]> => [
  ...(await watch.changed()),
  ...((await files?.damaged()) ?? []),
];
