import type { Generation, Generations } from '../../data/types.ts';
import type { AheadCopy, Work } from '../work.ts';
import { takeBackup, wantsBackup } from './backup.ts';

/** Begins it, once it is known what is to be deployed. */
export function beginAhead(work: Work): void {
  const { tools, live, record } = work;
  const generations = live && tools.generations(live.config);
  if (record.kind !== 'deploy' || !live?.generation || !generations) return;
  const abort = new AbortController();
  const signal = AbortSignal.any([work.signal, abort.signal]);
  work.ahead = {
    copy: copyOf(generations, live.generation),
    backup: wantsBackup(work) ? takeBackup(work, live, signal) : null,
    abort,
  };
  // A stage or `undo` looks at them.
  for (const begun of [work.ahead.copy, work.ahead.backup]) begun?.catch(() => undefined);
}

/** A copy of what is live, made ahead or now. */
export function takeCopy(work: Work, generations: Generations, live: Generation): Promise<AheadCopy> {
  const copy = work.ahead?.copy ?? copyOf(generations, live);
  if (work.ahead) work.ahead.copy = null;
  return copy;
}

/** Removes what was made in vain. */
export async function dropAhead(work: Work): Promise<void> {
  const { tools, live, ahead, config } = work;
  if (!ahead) return;
  work.ahead = null;
  ahead.abort.abort(new Error('it is not needed'));
  const copy = await ahead.copy?.catch(() => null);
  if (copy && live) await tools.generations(live.config)?.remove(copy.generation);
  const backup = await ahead.backup?.catch(() => null);
  if (backup) await tools.backups.remove(config.name, backup);
}

async function copyOf(generations: Generations, from: Generation): Promise<AheadCopy> {
  const isAhead = await generations.copiesAhead(from);
  const began = performance.now();
  const generation = await generations.draft(from);
  return { generation, heldMs: isAhead ? 0 : performance.now() - began };
}
