import type { Generation } from '../../data/types.ts';
import { FailedError } from '../../problem.ts';
import { boot, healthOf, socketPath } from '../instance.ts';
import { Skipped } from '../journal.ts';
import { idleSlot, type Instance, type Slot, type Work } from '../work.ts';
import { digestOf } from '../own-secrets.ts';
import { service } from '../programs.ts';
import { watchNext } from '../untouched.ts';

/** The new instance on its generation, on a private socket, read-only until the switch. */
export async function bootCandidate(work: Work): Promise<Skipped | void> {
  const { tools, generation, record, live, slotIsFree } = work;
  await slotIsFree;
  const slot = idleSlot(live);
  const warm = await warmInstance(work, slot);
  if (warm) {
    await tools.journal.note(record.id, { slot });
    work.candidate = warm;
    work.warm = true;
    return new Skipped('its instance is still warm');
  }
  await watchNext(work);
  work.candidate = await (work.early?.instance ?? startIn(work, slot, generation));
}

/**
 * Boots the instance that will be live beside the rest of the rehearsal; `boot` and `verify` wait for it. Only without
 * migrations, and once the rehearsal has shown that the release's start changes nothing. What the release's own program
 * can tell, it tells on the copy of the same data; of this process it remains to be seen that it serves.
 */
export function bootEarly(work: Work): void {
  const { tools, live, record, config } = work;
  if (record.kind !== 'deploy' || !live) return;
  const instance = startIn(work, idleSlot(live), live.generation);
  const suites = instance.then(async ({ environment, slot }) => [
    await service(socketPath(tools, environment, slot), config),
  ]);
  work.early = { instance, suites };
  // `boot` and `verify`, or `undo`, look at them.
  for (const begun of [instance, suites]) begun.catch(() => undefined);
}

async function startIn(work: Work, slot: Slot, generation: Generation | null): Promise<Instance> {
  const { tools, config, release, target, record, plan, signal } = work;
  await work.slotIsFree;
  if (!release) throw new FailedError('there is no release to boot');
  const stale = await tools.instances.get(config.name, slot);
  if (stale) await tools.services.stop(stale.process, 0);
  await tools.journal.note(record.id, { slot });
  const deployment = { id: record.id, commit: target.commit, branch: record.branch };
  const onStart = (said: () => Promise<string>) => void (work.outputs.candidate = said);
  const runsAgain = plan.kind !== 'same';
  return boot(tools, {
    onStart,
    config,
    slot,
    release,
    generation,
    signal,
    deployment,
    runsAgain,
    readOnly: true,
  });
}

/** For a rollback: the instance that served this very release on this very data, if it is still there and well. */
async function warmInstance(work: Work, slot: string): Promise<Instance | null> {
  const { tools, record, config, target, generation, plan } = work;
  if (record.kind !== 'rollback' || plan.kind !== 'same') return null;
  const instance = await tools.instances.get(config.name, slot);
  if (!instance || !tools.services.alive(instance.process)) return null;
  const booted = await tools.journal.get(instance.deployment);
  if (booted.tree !== target.tree || booted.generation !== (generation?.id ?? null)) return null;
  if (instance.given !== digestOf(tools.secretsOf(config.name))) return null;
  const { status } = await healthOf(socketPath(tools, config.name, slot), 1000);
  return status === 200 ? instance : null;
}
