import { FailedError } from '../../problem.ts';
import { setReadOnly } from '../instance.ts';
import { silence } from '../retire.ts';
import { demandUntouched } from '../untouched.ts';
import { Disturbed, socketOf, type Instance, type Work } from '../work.ts';

/**
 * Makes the new instance the live one. Up to the renames everything can be undone; from them on the deployment is live.
 * A switch under a hold is fenced: by the sluice (the hold is in force), by the old generation (nobody wrote to it) and by
 * the next one (nothing was changed since the new instance was started on it).
 */
export async function switchOver(work: Work): Promise<void> {
  const { tools, record, candidate, config, generation, live } = work;
  if (!candidate) throw new FailedError('there is no instance to switch to');
  await demandUntouched(work);
  const [lastAudited] = await Promise.all([
    lastAuditedOf(work),
    tools.journal.note(record.id, {
      previous: previousOf(work),
      replaced: live?.record.id ?? null,
      proven: work.proven,
      applied: work.applied,
      generation: generation?.id ?? null,
    }),
  ]);
  work.lastAudited = lastAudited;
  const isHeld = work.hold?.renew() ?? true;
  await tools.journal.phase(record.id, 'switching');
  // Before the new instance may write: what its jobs store is lost with its data where the switch is not made.
  if (!(await isHeld)) throw new Disturbed('the hold on writes was lost');
  await makeWritable(work, candidate);
  if (work.hold) await switchHeld(work);
  else await tools.frontDoor.point(config.name, socketOf(candidate.slot));
  if (generation) await tools.generations(config)?.setCurrent(generation);
  await tools.journal.live(record.id);
  work.liveSince = performance.now();
  if (live && live.config.listen !== config.listen) await tools.frontDoor.ensure(config.name, config.listen);
}

/** What is written after it is for the new release to answer for. `settle` can also go by the time. */
async function lastAuditedOf({ tools, config, generation }: Work): Promise<number | null> {
  const generations = tools.generations(config);
  if (!generations || !generation) return null;
  return generations.lastAudited(generation).catch(() => null);
}

/** A warm instance may have ended since it was last seen: another one is started in its place then. */
async function makeWritable({ tools, warm }: Work, candidate: Instance): Promise<void> {
  try {
    await setReadOnly(tools, candidate, false);
  } catch (error) {
    if (warm && !tools.services.alive(candidate.process)) throw new Disturbed('the warm instance has ended');
    throw error;
  }
}

async function switchHeld(work: Work): Promise<void> {
  const { hold, writeLock, candidate } = work;
  if (writeLock && !writeLock.unchanged()) throw new Disturbed('the database was changed during the hold');
  if (!hold || !candidate || !(await hold.switchTo(socketOf(candidate.slot))))
    throw new Disturbed('the hold on writes was lost');
  work.hold = null;
  // The hold has done so already where it could; this tells the machine, which may bring it up again.
  await silence(work);
}

/** A rollback climbs down the stack: what was before its target is before it. */
function previousOf({ record, live, rollbackTarget }: Work): string | null {
  return record.kind === 'rollback' ? (rollbackTarget?.previous ?? null) : (live?.record.id ?? null);
}
