import { setReadOnly, stop } from './instance.ts';
import type { DeploymentRecord } from './record.ts';
import { socketOf, type Tools, type Work } from './work.ts';

/** After so many deaths of the daemon in the same deployment, the deployment is the likely cause. */
const MOST_ATTEMPTS = 3;

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
 * @returns what is left to do: nothing, go on watching it, or go on taking it back
 */
export async function recover(tools: Tools, record: DeploymentRecord): Promise<Recovered> {
  if (record.phase === 'live') return 'watch';
  if (record.phase === 'reverting') return 'take back';
  if (record.phase === 'switching' && (await hasSwitched({ tools, record, candidate: null }))) {
    await finishSwitch(tools, record);
    return 'watch';
  }
  await tools.frontDoor.letGo(record.environment);
  await stopOwn(tools, record);
  await removeOwnGeneration(tools, record);
  if (record.attempts < MOST_ATTEMPTS) {
    await tools.journal.restart(record.id);
    return 'restarted';
  }
  const outcome = record.kind === 'deploy' ? 'rejected' : 'failed';
  await tools.journal.finish(
    record.id,
    outcome,
    `the deployer died ${record.attempts} times during this deployment`,
  );
  return 'ended';
}

/** The links were renamed, the rest was not done: each part can be repeated. */
async function finishSwitch(tools: Tools, record: DeploymentRecord): Promise<void> {
  const { environment, slot, generation, config } = record;
  if (slot) {
    await setReadOnly(tools, { environment, slot }, false).catch(() => false);
    await tools.frontDoor.point(environment, socketOf(slot));
  }
  const generations = config && tools.generations(config);
  if (generations && generation) await generations.setCurrent(generations.open(generation));
  await tools.journal.live(record.id);
}

async function stopOwn(tools: Tools, record: DeploymentRecord): Promise<void> {
  const own = (await tools.instances.all()).filter(({ deployment }) => deployment === record.id);
  for (const instance of own) await stop(tools, instance, 0);
}

async function removeOwnGeneration(tools: Tools, record: DeploymentRecord): Promise<void> {
  const generations = record.config && tools.generations(record.config);
  const live = await tools.journal.liveOf(record.environment);
  if (!generations || !record.generation || record.generation === live?.generation) return;
  await generations.remove(generations.open(record.generation));
}
