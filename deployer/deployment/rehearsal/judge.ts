import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Difference, Generation, Generations, Watch } from '../../data/types.ts';
import { inWords } from '../../data/in-words.ts';
import { stop } from '../instance.ts';
import { contextOf } from '../migration.ts';
import type { Check, Suite } from '../model.ts';
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
  const atStart = await watch.changed();
  if (atStart.length === 0) meanwhile();
  const asked = { instance, generation: copy, suites: config.verify.suites ?? [] };
  const suites = await verifyWork(work, asked);
  const changed = await watch.changed();
  if (changed.length === 0) return suites;
  const program = atStart.length > 0 ? programOf(work) : null;
  const whose = atStart.length > 0 ? `the start of ${program ?? 'the release'}` : 'the verification';
  return withCheck(suites, whatChanged(changed, whose, program));
}

function whatChanged(changed: readonly Difference[], whose: string, program: string | null): Check {
  return {
    name: 'the data',
    success: false,
    expected: 'no change',
    actual: `was changed by ${whose}: ${inWords(changed)}`,
    hint: 'start-up code must not write; look for what the release does before it is live',
    location: program,
  };
}

/** Where start-up code is to be looked for: `app/server.ts`; null when no file of the release is started. */
function programOf({ tools, config, release }: Work): string | null {
  const words = tools.splitCommand(config.commands.start);
  return (release && words.find((word) => existsSync(join(release.directory, word)))) ?? null;
}

/** The deployer's own finding goes first in `integrity`, whatever the release's program found. */
function withCheck(suites: Suite[], check: Check): Suite[] {
  const known = suites.find(({ name }) => name === 'integrity');
  const integrity = known ?? { name: 'integrity', success: true, durationMs: 0, checks: [] };
  const failed = { ...integrity, success: false, checks: [check, ...integrity.checks] };
  return [failed, ...suites.filter(({ name }) => name !== 'integrity')];
}
