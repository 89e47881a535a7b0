import type { Generation, Generations } from '../../data/types.ts';
import { stop } from '../instance.ts';
import { contextOf } from '../migration.ts';
import type { Check, Suite } from '../model.ts';
import { verify } from '../programs.ts';
import type { Work } from '../work.ts';
import { bootOn } from './boot-on.ts';

/** Boots the new release on the copy, verifies everything, and looks whether the data is as it was. */
export async function judge(
  work: Work,
  generations: Generations,
  copy: Generation,
): Promise<{ suites: Suite[]; bootMs: number }> {
  const { tools, config } = work;
  const context = contextOf(work);
  const watch = await generations.watch(copy);
  try {
    const began = performance.now();
    const instance = await bootOn(work, context, copy, 'rehearsal');
    const bootMs = performance.now() - began;
    try {
      const asked = { instance, generation: copy, suites: config.verify.suites ?? [] };
      const suites = await verify(tools, context, asked);
      const changed = await watch.changed();
      if (changed.length === 0) return { suites, bootMs };
      return { suites: withCheck(suites, await whatChanged(work, generations, copy, changed)), bootMs };
    } finally {
      await stop(tools, instance, 0);
    }
  } finally {
    await watch.end();
  }
}

async function whatChanged(
  work: Work,
  generations: Generations,
  copy: Generation,
  changed: string[],
): Promise<Check> {
  const touched = new Set(work.ran.flatMap(({ touches }) => touches));
  const { live } = work;
  const differences = live?.generation ? await generations.compare(live.generation, copy, touched) : [];
  const found = differences.filter(({ table }) => changed.includes(table)).map(({ sentence }) => sentence);
  return {
    name: 'the data while the release started and was verified',
    success: false,
    expected: 'no change',
    actual: `changed: ${found.length > 0 ? found.join('; ') : changed.join(', ')}`,
    hint: 'start-up code must not write; look for what the release does before it is live',
    location: null,
  };
}

/** The deployer's own finding goes first in `integrity`, whatever the release's program found. */
function withCheck(suites: Suite[], check: Check): Suite[] {
  const known = suites.find(({ name }) => name === 'integrity');
  const integrity = known ?? { name: 'integrity', success: true, durationMs: 0, checks: [] };
  const failed = { ...integrity, success: false, checks: [check, ...integrity.checks] };
  return [failed, ...suites.filter(({ name }) => name !== 'integrity')];
}
