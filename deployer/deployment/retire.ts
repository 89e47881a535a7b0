import { setTimeout as sleep } from 'node:timers/promises';
import { oneLine } from '../problem.ts';
import { DRAIN_MS, setReadOnly, stop } from './instance.ts';
import type { Instance, Tools, Work } from './work.ts';

/** Measured: an instance that is ended at once after a switch costs requests that had already dialled it. */
export const WARM_MS = 500;

/**
 * After a deployment: the instance that was live before only reads from now on, and stays warm on the same data for a
 * rollback within milliseconds, until the next deployment takes its slot. Without such a mode, or on other data, it is stopped.
 */
export async function retire(work: Work): Promise<void> {
  const { tools, live, record, generation } = work;
  if (!live) return;
  const old = await tools.instances.get(live.config.name, live.slot);
  if (!old || old.deployment === record.id) return;
  const { liveAt } = await tools.journal.get(record.id);
  const warm = liveAt ? tools.clock().getTime() - Date.parse(liveAt) : 0;
  await sleep(Math.max(0, WARM_MS - warm));
  try {
    await rest(tools, old, live.generation?.id === generation?.id);
  } catch (error) {
    tools.logger.warn(
      { deployment: record.id, error: oneLine(error) },
      'the earlier instance could not be put to rest',
    );
  }
  work.writeLock?.release();
}

/** Read-only where it may stay, else stopped. */
async function rest(tools: Tools, old: Instance, mayStay: boolean): Promise<void> {
  const rests = mayStay && (await setReadOnly(tools, old, true).catch(() => false));
  if (!rests) await stop(tools, old, DRAIN_MS);
}
