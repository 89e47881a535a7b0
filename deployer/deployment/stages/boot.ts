import { FailedError } from '../../problem.ts';
import { boot } from '../instance.ts';
import { idleSlot, type Work } from '../work.ts';

/** The new instance on its generation, on a private socket, read-only until the switch. */
export async function bootCandidate(work: Work): Promise<void> {
  const { tools, config, release, generation, target, record, live, signal } = work;
  if (!release) throw new FailedError('there is no release to boot');
  const slot = idleSlot(live);
  const stale = await tools.instances.get(config.name, slot);
  if (stale) await tools.services.stop(stale.process, 0);
  await tools.journal.note(record.id, { slot });
  work.candidate = await boot(tools, {
    config,
    slot,
    release,
    generation,
    signal,
    deployment: {
      id: record.id,
      commit: target.commit,
      branch: record.branch,
    },
    readOnly: true,
  });
}
