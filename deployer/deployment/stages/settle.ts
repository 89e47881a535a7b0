import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../../problem.ts';
import { healthOf, socketPath } from '../instance.ts';
import { Skipped } from '../journal.ts';
import type { Work } from '../work.ts';

const LOOK_EVERY_MS = 250;
const UNHEALTHY_LOOKS = 3;

/** The old instance stays warm while the new one is watched; a deployment that waits cuts it short. */
export async function settle(work: Work): Promise<Skipped | void> {
  const { tools, config, candidate, live, hurry } = work;
  if (!candidate) throw new FailedError('there is no instance to watch');
  if (!live) return new Skipped('nothing was live before: there is nothing to go back to');
  if (work.record.kind === 'rollback') return new Skipped('this release was live before');
  const socket = socketPath(tools, config.name, candidate.slot);
  const until = performance.now() + config.cutover.settle;
  for (let unhealthy = 0; performance.now() < until && !hurry.aborted && !work.signal.aborted;) {
    if (!tools.services.alive(candidate.process))
      throw new FailedError('settle: the process ended after it went live');
    const { status } = await healthOf(socket, 2000);
    unhealthy = status === 200 ? 0 : unhealthy + 1;
    if (unhealthy >= UNHEALTHY_LOOKS)
      throw new FailedError(
        `settle: health ${status === null ? 'did not answer' : `answered ${status}`}, expected 200`,
      );
    await sleep(Math.min(LOOK_EVERY_MS, Math.max(0, until - performance.now())), undefined, {
      signal: hurry,
    }).catch(() => undefined);
  }
}
