import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, oneLine } from '../problem.ts';
import type { Generation } from '../data/types.ts';
import { boot, DRAIN_MS, setReadOnly, stop } from './instance.ts';
import { WARM_MS } from './retire.ts';
import { contextOf, liveContext } from './migration.ts';
import { migrate } from './programs.ts';
import { dataBefore, replacesData } from './restore.ts';
import { hold } from './stages/hold.ts';
import { socketOf, type Instance, type Live, type Work } from './work.ts';

/** After the switch: what was live before becomes live again, with the rows that visitors wrote meanwhile. */
export async function takeBack(work: Work, cause: string): Promise<void> {
  const { tools, record, live } = work;
  const { journal } = tools;
  const { phase } = await journal.get(record.id);
  if (phase === 'live') await journal.phase(record.id, 'reverting');
  work.log(`taking back: ${cause}`);
  try {
    if (!live) throw new FailedError('nothing was live before');
    const generation = await returnTo(work, live);
    await journal.takenBack(record.id, live.record.id, {
      slot: live.slot,
      generation: generation?.id ?? null,
    });
    tools.errorRates.begin(record.environment, await tools.frontDoor.counters(record.environment));
    await stopNew(work);
    await journal.finish(record.id, record.kind === 'deploy' ? 'rolled_back' : 'failed', cause);
  } catch (error) {
    tools.logger.error({ deployment: record.id, error: oneLine(error) }, 'could not take back');
    await journal.finish(record.id, 'needs_attention', `${cause}; taking back failed: ${oneLine(error)}`);
  }
}

/** Makes the earlier release live again and returns the generation that it works on. */
async function returnTo(work: Work, live: Live): Promise<Generation | null> {
  const { tools, generation } = work;
  const warm = await tools.instances.get(live.config.name, live.slot);
  const sameData = generation?.id === live.generation?.id;
  if (sameData && warm && tools.services.alive(warm.process)) {
    await pointTo(work, warm);
    return generation;
  }
  if (warm) await stop(tools, warm, 0);
  if (sameData || work.proven) {
    await pointTo(work, await bootEarlier(work, live, generation));
    return generation;
  }
  return downAndBack(work, live);
}

/** The schema has to go back too: `down` on a copy under a hold, so that rows written since stay. */
async function downAndBack(work: Work, live: Live): Promise<Generation> {
  const { tools, config, generation } = work;
  const generations = tools.generations(config);
  if (!generations || !generation) throw new FailedError('there is no database to take back');
  const current: Live = { ...live, config, generation };
  const holding: Work = { ...work, live: current, plan: { kind: 'next', down: null } };
  try {
    await hold(holding);
    const next = replacesData(work.record)
      ? await dataBefore(work, live, { generations, now: generation })
      : await generations.copy(generation);
    if (!replacesData(work.record))
      await migrate(tools, contextOf(work), next, ['down', '--to', live.record.applied?.at(-1) ?? 'none']);
    const instance = await bootEarlier(work, live, next);
    await setReadOnly(tools, instance, false);
    if (
      holding.writeLock?.unchanged() === false ||
      !(await holding.hold?.switchTo(socketOf(instance.slot)))
    ) {
      throw new FailedError('the hold on writes lapsed before the way back was ready');
    }
    await generations.setCurrent(next);
    return next;
  } finally {
    await holding.hold?.release();
    holding.writeLock?.release();
  }
}

async function bootEarlier(work: Work, live: Live, generation: Generation | null): Promise<Instance> {
  const { config, release, deployment } = await liveContext(work, live);
  return boot(work.tools, {
    config,
    release,
    deployment,
    slot: live.slot,
    generation,
    readOnly: true,
    signal: new AbortController().signal,
  });
}

async function pointTo({ tools, config }: Work, instance: Instance): Promise<void> {
  await setReadOnly(tools, instance, false);
  await tools.frontDoor.point(config.name, socketOf(instance.slot));
}

async function stopNew({ tools, candidate }: Work): Promise<void> {
  if (!candidate) return;
  await setReadOnly(tools, candidate, true).catch(() => false);
  await sleep(WARM_MS);
  await stop(tools, candidate, DRAIN_MS);
}
