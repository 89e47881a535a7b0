import { setTimeout as sleep } from 'node:timers/promises';
import { oneLine } from '../problem.ts';
import { DRAIN_MS, setReadOnly, stop } from './instance.ts';
import { sinceLive } from './since-live.ts';
import { socketOf, type Instance, type Tools, type Work } from './work.ts';

/** Measured: an instance that is ended at once after a switch costs requests that had already dialled it. */
export const WARM_MS = 500;

/**
 * After a deployment: the instance that was live before only reads from now on, and stays warm on the same data for a
 * rollback within milliseconds, until the next deployment takes its slot. Without such a mode, or on other data, it is stopped.
 */
export async function retire(work: Work): Promise<void> {
  const { tools, record } = work;
  try {
    await retireEarlier(work);
    work.writeLock?.release();
  } catch (error) {
    tools.logger.warn({ deployment: record.id, error: oneLine(error) }, LEFT);
  }
}

const LEFT = 'the earlier instance could not be put to rest';

async function retireEarlier(work: Work): Promise<void> {
  const { tools, live, record, generation } = work;
  if (!live) return;
  const old = await tools.instances.get(live.config.name, live.slot);
  if (!old || old.deployment === record.id) return;
  await sleep(Math.max(0, WARM_MS - (await sinceLive(work))));
  await rest(tools, old, live.record.generation === (generation?.id ?? null));
}

/**
 * Jobs of the earlier instance must not go on writing to data that nobody sees any more, also when the lock on it went
 * with the daemon that died. One that cannot be made to rest ends at once, and not only after `settle`.
 */
export async function silence(work: Work): Promise<void> {
  const { tools, live, generation } = work;
  if (!live || live.record.generation === (generation?.id ?? null)) return;
  const earlier = { environment: live.config.name, slot: live.slot };
  const rests = await setReadOnly(tools, earlier, true).catch(() => false);
  if (!rests) work.retiring = retire(work);
}

/** What a daemon that died right after a deployment did not get to, in the environments where nothing runs. */
export async function retireLeftBehind(tools: Tools, runs: (environment: string) => boolean): Promise<void> {
  const instances = (await tools.instances.all()).filter(({ environment }) => !runs(environment));
  await Promise.all(instances.map((instance) => retireUnlessLive(tools, instance)));
}

async function retireUnlessLive(tools: Tools, instance: Instance): Promise<void> {
  const live = await tools.journal.liveOf(instance.environment);
  if (!live || live.slot === instance.slot || !tools.services.alive(instance.process)) return;
  const { slot, generation } = await tools.journal.get(instance.deployment);
  await rest(tools, instance, slot === instance.slot && generation === live.generation);
}

/** Read-only where it may stay, once nobody's write is in flight there; else stopped. */
async function rest(tools: Tools, old: Instance, mayStay: boolean): Promise<void> {
  const { environment, slot } = old;
  try {
    const rests =
      mayStay &&
      (await tools.frontDoor.drained(environment, socketOf(slot), DRAIN_MS)) &&
      (await setReadOnly(tools, old, true).catch(() => false));
    if (!rests) await stop(tools, old, DRAIN_MS);
  } catch (error) {
    tools.logger.warn({ environment, deployment: old.deployment, error: oneLine(error) }, LEFT);
  }
}
