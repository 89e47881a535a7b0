import { rmSync } from 'node:fs';
import { oneLine } from '../problem.ts';
import { setReadOnly, socketPath, stop } from './instance.ts';
import type { DeploymentRecord } from './record.ts';
import { rehearsalSlots } from './rehearsal/boot-on.ts';
import { forgetDropped } from './restore.ts';
import { isSlot, socketOf, type Tools, type Work } from './work.ts';

/** After so many deaths of the daemon in the same deployment, the deployment is the likely cause. */
export const MOST_ATTEMPTS = 3;

/** Whether the front door already points to the new instance: then the switch has happened, whatever the journal got to write. */
export async function hasSwitched({
  tools,
  record,
  candidate,
}: Pick<Work, 'tools' | 'record' | 'candidate'>): Promise<boolean> {
  const slot = candidate?.slot ?? (await tools.journal.get(record.id)).slot;
  const { live } = await tools.frontDoor.links(record.environment);
  return slot !== null && live === socketOf(slot);
}

export type Recovered = 'restarted' | 'ended' | 'watch' | 'take back';

/**
 * Brings a deployment that a dead daemon left behind to a known state: wholly before or wholly after its switch.
 * It may itself be cut off at any point, and is then done again.
 * @returns what is left to do: nothing, go on watching it, or go on taking it back
 */
export async function recover(tools: Tools, record: DeploymentRecord): Promise<Recovered> {
  // First of all: a switch that is still on its way to the front door then finds no hold, and does nothing.
  await tools.frontDoor.letGo(record.environment);
  if (await wentLive(tools, record)) {
    if (record.phase === 'switching') await finishSwitch(tools, record);
    // It may still have been cleared away.
    await attempt(tools, record, 'end its rehearsal', () => endRehearsal(tools, record));
    return record.phase === 'reverting' ? 'take back' : 'watch';
  }
  await stopOwn(tools, record);
  await attempt(tools, record, 'remove its generation', () => removeOwnGeneration(tools, record));
  await attempt(tools, record, 'forget what it would have dropped', () => forgetDropped(tools, record));
  if (record.attempts < MOST_ATTEMPTS) {
    await tools.journal.restart(record.id);
    return 'restarted';
  }
  const outcome = record.kind === 'deploy' ? 'rejected' : 'failed';
  await tools.journal.finish(
    record.id,
    outcome,
    `the deployer died ${record.attempts} times during this deployment`,
    { isTransient: true },
  );
  if (record.config) await tools.prune(record.config);
  return 'ended';
}

async function wentLive(tools: Tools, record: DeploymentRecord): Promise<boolean> {
  if (record.phase === 'switching') return hasSwitched({ tools, record, candidate: null });
  return record.phase === 'live' || record.phase === 'reverting';
}

/** The links were renamed, the rest was not done. When the new instance has ended since, `settle` finds out. */
async function finishSwitch(tools: Tools, record: DeploymentRecord): Promise<void> {
  const { environment, slot, generation, config } = record;
  if (slot) {
    await setReadOnly(tools, { environment, slot }, false).catch(() => false);
    await attempt(tools, record, 're-point the writes', () =>
      tools.frontDoor.point(environment, socketOf(slot)),
    );
  }
  const generations = config && tools.generations(config);
  if (generations && generation) await generations.setCurrent(generations.open(generation));
  await tools.journal.live(record.id);
}

/** What it started, noted or not, and the warm instance that it had begun to make live again. */
export async function stopOwn(tools: Tools, record: DeploymentRecord): Promise<void> {
  const live = await tools.journal.liveOf(record.environment);
  const own = (await tools.instances.all()).filter(
    ({ environment, slot, deployment }) =>
      deployment === record.id ||
      (environment === record.environment && slot === record.slot && slot !== live?.slot),
  );
  for (const instance of own) await stop(tools, instance, 0);
  if (record.slot !== null && record.slot !== live?.slot) await endUnnoted(tools, record, record.slot);
  await endRehearsal(tools, record);
}

async function endRehearsal(tools: Tools, record: DeploymentRecord): Promise<void> {
  for (const slot of Object.values(rehearsalSlots(record))) {
    const instance = await tools.instances.get(record.environment, slot);
    if (instance) await stop(tools, instance, 0);
    await endUnnoted(tools, record, slot);
  }
}

async function endUnnoted(tools: Tools, { environment }: DeploymentRecord, slot: string): Promise<void> {
  const socket = socketPath(tools, environment, slot);
  await tools.services.endUnnoted({ environment, slot, socket });
  if (!isSlot(slot)) rmSync(socket, { force: true });
}

async function removeOwnGeneration(tools: Tools, record: DeploymentRecord): Promise<void> {
  const generations = record.config && tools.generations(record.config);
  const live = await tools.journal.liveOf(record.environment);
  if (!generations || !record.generation || record.generation === live?.generation) return;
  // Not opened: it may be gone already.
  await generations.remove({ id: record.generation, env: {} });
}

/** What a later sweep or watch makes good must not keep an environment from its known state. */
async function attempt(
  tools: Tools,
  record: DeploymentRecord,
  what: string,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    tools.logger.warn({ deployment: record.id, error: oneLine(error) }, `could not ${what}`);
  }
}
