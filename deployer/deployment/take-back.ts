import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, oneLine, RefusedError } from '../problem.ts';
import type { Generation } from '../data/types.ts';
import { boot, DRAIN_MS, healthOf, setReadOnly, socketPath, stop } from './instance.ts';
import { WARM_MS } from './retire.ts';
import { lacksRoom } from './machine-trouble.ts';
import { contextOf, liveContext } from './migration.ts';
import { dropNext, takeNext } from './next-copy.ts';
import { dataBefore, forgetDropped, replacesData } from './restore.ts';
import { hold } from './stages/hold.ts';
import { hasNoDown, takeDown } from './take-down.ts';
import { socketOf, type Instance, type Live, type Work } from './work.ts';

/** A hold may lapse, another process may lock the database, and an instance may end, without anything being wrong. */
const MOST_TRIES = 3;

/**
 * After the switch: what was live before becomes live again, with the rows that visitors wrote meanwhile.
 * It may be cut off at any point and is then done again; the links say whether it was done.
 * @throws what kept the journal from being written, and a disk without room: nothing is claimed then, and it is tried again
 */
export async function takeBack(ending: Work, cause: string): Promise<void> {
  const { tools, record, live } = ending;
  const { journal } = tools;
  // What ends the deployment, a newer commit say, does not end its taking back.
  const work: Work = { ...ending, signal: new AbortController().signal, writeLock: null };
  const { phase } = await journal.get(record.id);
  if (phase === 'live') {
    await journal.note(record.id, { cause });
    await journal.phase(record.id, 'reverting');
  }
  work.log(`taking back: ${cause}`);
  try {
    if (!live) throw new FailedError('nothing was live before');
    await endRetiring(work, live);
    await returnTo(work, live);
  } catch (error) {
    if ((live && (await isBack(work, live))) || lacksRoom(error)) throw error;
    tools.logger.error({ deployment: record.id, error: oneLine(error) }, 'could not take back');
    await journal.finish(record.id, 'needs_attention', `${cause}; taking back failed: ${oneLine(error)}`);
    return;
  } finally {
    // Nobody works on the earlier data any more; kept open, it would keep its room on the disk when it is removed.
    ending.writeLock?.release();
  }
  try {
    await confirm(work, live);
    await stopNew(work, live);
  } finally {
    // Kept until nobody is left who could write there: what nobody sees any more must not be stored.
    work.writeLock?.release();
  }
  await forgetDropped(tools, record);
  await journal.finish(record.id, record.kind === 'deploy' ? 'rolled_back' : 'failed', cause);
  await tools.prune(live.config);
}

/** The earlier instance may be about to rest: that must be over before another one is started in its slot. */
async function endRetiring({ tools, retiring }: Work, { config, slot }: Live): Promise<void> {
  const old = retiring && (await tools.instances.get(config.name, slot));
  if (old) await tools.services.stop(old.process, 0);
  await retiring;
}

/** Whether visitors reach the earlier instance already. */
async function isBack({ tools, config }: Work, { slot }: Live): Promise<boolean> {
  return (await tools.frontDoor.links(config.name)).live === socketOf(slot);
}

/** What a switch leaves to be done; each part can be repeated. */
async function confirm({ tools, config, record }: Work, { slot, record: earlier }: Live): Promise<void> {
  await setReadOnly(tools, { environment: config.name, slot }, false).catch(() => false);
  await tools.frontDoor.point(config.name, socketOf(slot));
  // Noted before the switch: the one that it works on now.
  const { generation } = await tools.journal.get(earlier.id);
  const generations = tools.generations(config);
  if (generations && generation) await generations.setCurrent(generations.open(generation));
  await tools.journal.takenBack(record.id, earlier.id, { slot, generation });
  const counters = await tools.frontDoor.counters(config.name).catch(() => ({ requests: 0, errors: 0 }));
  tools.errorRates.begin(config.name, counters);
}

async function returnTo(work: Work, live: Live): Promise<void> {
  for (let tries = 1; !(await isBack(work, live)); tries++) {
    try {
      await tryToReturn(work, live);
    } catch (error) {
      // It would lose rows once more.
      if (tries >= MOST_TRIES || error instanceof RefusedError) throw error;
      work.log(`once more: ${oneLine(error)}`);
    }
  }
}

async function tryToReturn(work: Work, live: Live): Promise<void> {
  const { tools, generation } = work;
  const warm = await tools.instances.get(live.config.name, live.slot);
  if (worksOnSameData(work, live) && warm && (await isWell(work, warm))) return pointTo(work, warm);
  if (warm) await stop(tools, warm, 0);
  if (worksOnSameData(work, live) || work.proven) {
    const instance = await bootEarlier(work, live, generation);
    await noteGeneration(work, live, generation);
    // The newer schema stays: what is deployed next comes back to that one, and not to what went before.
    const { applied } = await tools.journal.get(work.record.id);
    await tools.journal.note(live.record.id, { applied });
    return pointTo(work, instance);
  }
  await demandDown(work);
  return downAndBack(work, live);
}

/** @throws FailedError where the rehearsal has seen that `down` loses what was written: a person has to weigh that */
async function demandDown({ tools, record }: Work): Promise<void> {
  const { ran } = await tools.journal.get(record.id);
  const oneWay = ran.find(({ reversible }) => !reversible);
  if (oneWay && !replacesData(record))
    throw new FailedError(
      `${hasNoDown(oneWay.name)}; rollback ${record.environment} --restore-backup drops what was written since`,
    );
}

/** By the journal: the earlier generation itself may have been swept already. */
const worksOnSameData = ({ generation }: Work, { record }: Live) =>
  (generation?.id ?? null) === record.generation;

async function isWell({ tools }: Work, instance: Instance): Promise<boolean> {
  if (!tools.services.alive(instance.process)) return false;
  const { status } = await healthOf(socketPath(tools, instance.environment, instance.slot), 2000);
  return status === 200;
}

/** Before the switch, so that a daemon that dies right after it leaves no doubt which data is live. */
async function noteGeneration({ tools }: Work, { record }: Live, generation: { id: string } | null) {
  await tools.journal.note(record.id, { generation: generation?.id ?? null });
}

/** The schema has to go back too: `down` on a copy under a hold, so that rows written since stay. */
async function downAndBack(work: Work, live: Live): Promise<void> {
  const { tools, config, generation, candidate } = work;
  const generations = tools.generations(config);
  if (!generations || !generation) throw new FailedError('there is no database to take back');
  const current: Live = { ...live, config, generation };
  const holding: Work = { ...work, live: current, plan: { kind: 'next', down: null } };
  let instance: Instance | null = null;
  let next: Generation | null = null;
  try {
    await hold(holding);
    work.writeLock = holding.writeLock;
    next = await earlierData(holding, live, generation);
    instance = await bootEarlier(work, live, next);
    await noteGeneration(work, live, next);
    await setReadOnly(tools, instance, false);
    if (holding.writeLock?.unchanged() === false || !(await holding.hold?.switchTo(socketOf(instance.slot))))
      throw new FailedError('the hold on writes lapsed before the way back was ready');
    if (candidate) await setReadOnly(tools, candidate, true).catch(() => false);
  } catch (error) {
    if (await isBack(work, live)) throw error;
    holding.writeLock?.release();
    if (instance) await stop(tools, instance, 0);
    await noteGeneration(work, live, live.generation);
    if (next) await generations.remove(next);
    throw error;
  } finally {
    await holding.hold?.release();
    await dropNext(holding);
  }
}

async function earlierData(work: Work, live: Live, now: Generation): Promise<Generation> {
  const { tools, config, record } = work;
  const generations = tools.generations(config);
  if (!generations) throw new FailedError('there is no database to take back');
  if (replacesData(record)) return dataBefore(work, live, { generations, now });
  const next = await takeNext(work);
  await takeDown(tools, contextOf(work), { copy: next, to: live.record.applied?.at(-1) ?? 'none' });
  return next;
}

async function bootEarlier(work: Work, live: Live, generation: Generation | null): Promise<Instance> {
  const { config, release, deployment } = await liveContext(work, live);
  return boot(work.tools, {
    config,
    release,
    deployment,
    slot: live.slot,
    generation,
    deployedAt: live.record.liveAt,
    readOnly: true,
    signal: work.signal,
  });
}

async function pointTo({ tools, config }: Work, instance: Instance): Promise<void> {
  await setReadOnly(tools, instance, false);
  await tools.frontDoor.point(config.name, socketOf(instance.slot));
}

/** What is in flight there ends first: on the same data its writes count like any other. */
async function stopNew(work: Work, live: Live): Promise<void> {
  const { tools, record } = work;
  const { slot } = await tools.journal.get(record.id);
  const instance = slot && slot !== live.slot && (await tools.instances.get(record.environment, slot));
  if (!instance) return;
  await sleep(WARM_MS);
  await stop(tools, instance, DRAIN_MS);
}
