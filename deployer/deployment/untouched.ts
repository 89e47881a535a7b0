import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inWords } from '../data/in-words.ts';
import type { Difference } from '../data/types.ts';
import { DeploymentEnded } from './ended.ts';
import type { Suite } from './model.ts';
import { firstFailure } from './reports/words.ts';
import type { Work } from './work.ts';

/** From the start of a release until it is live nothing may change its data: what tells that something did. */

/** Who changed it, and where to look. */
interface Culprit {
  who: string;
  location: string | null;
}

export const VERIFICATION: Culprit = { who: 'the verification', location: null };

/** Where start-up code is to be looked for: `app/server.ts`, when a file of the release is started. */
export function startOf({ tools, config, release }: Work): Culprit {
  const words = tools.splitCommand(config.commands.start);
  const program = (release && words.find((word) => existsSync(join(release.directory, word)))) ?? null;
  return { who: `the start of ${program ?? 'the release'}`, location: program };
}

/** The deployer's own finding goes first in `integrity`, whatever the release's program found. */
export function withChange(
  suites: Suite[],
  changed: readonly Difference[],
  { who, location }: Culprit,
): Suite[] {
  const check = {
    name: 'the data',
    success: false,
    expected: 'no change',
    actual: `was changed by ${who}: ${inWords(changed)}`,
    hint: 'start-up code must not write; look for what the release does before it is live',
    location,
  };
  const known = suites.find(({ name }) => name === 'integrity');
  const integrity = known ?? { name: 'integrity', success: true, durationMs: 0, checks: [] };
  const failed = { ...integrity, success: false, checks: [check, ...integrity.checks] };
  return [failed, ...suites.filter(({ name }) => name !== 'integrity')];
}

/** Watches the next generation from before the new instance starts on it. What is made from nothing may be filled by it. */
export async function watchNext(work: Work): Promise<void> {
  const { tools, config, generation, ownsGeneration, live } = work;
  if (!generation || !ownsGeneration || !live?.generation) return;
  work.watch = (await tools.generations(config)?.watch(generation)) ?? null;
}

/**
 * What the rehearsal saw on a copy is seen once more on the data that is to be live; costs next to nothing unless
 * something was written. A rollback goes on, since the release was live before, and says so.
 * @throws DeploymentEnded that names table, rows and who wrote them
 */
export async function demandUntouched(work: Work): Promise<void> {
  const { tools, record, watch } = work;
  if (!watch) return;
  const changed = await watch.changed();
  work.watch = null;
  await watch.end();
  if (changed.length === 0) return;
  work.suites = withChange(work.suites, changed, startOf(work));
  const failure = firstFailure(work.suites) ?? '';
  if (record.kind === 'rollback') {
    work.log(failure);
    // It may already say how much the rollback drops.
    const { cause } = await tools.journal.get(record.id);
    return tools.journal.note(record.id, {
      cause: [...new Set([cause, failure])].filter(Boolean).join('; '),
    });
  }
  await tools.journal.suites(record.id, work.suites);
  throw new DeploymentEnded(record.kind === 'deploy' ? 'rejected' : 'failed', failure);
}
