import type { Generation } from '../../data/types.ts';
import { boot } from '../instance.ts';
import type { ReleaseContext } from '../programs.ts';
import type { DeploymentRecord } from '../record.ts';
import type { Instance, Work } from '../work.ts';

/** Where a deployment's rehearsal has instances. */
export const rehearsalSlots = ({ id }: Pick<DeploymentRecord, 'id'>) => ({
  rehearsal: `rehearsal-${id.slice(-6)}`,
  earlier: `earlier-${id.slice(-6)}`,
});

/**
 * Boots a release on a copy, read-only, on a socket of its own. The instance belongs to this deployment, also when it
 * runs the earlier release: recovery ends it by that.
 */
export function bootOn(
  work: Work,
  context: ReleaseContext,
  generation: Generation,
  name: 'rehearsal' | 'earlier',
  signal: AbortSignal = work.signal,
): Promise<Instance> {
  const { config, release, deployment, runsAgain, background } = context;
  const slot = rehearsalSlots(work.record)[name];
  return boot(work.tools, {
    config,
    slot,
    release,
    generation,
    runsAgain,
    deployment: { ...deployment, id: work.record.id },
    readOnly: true,
    background,
    signal,
    onStart: (said) => {
      if (name === 'rehearsal') work.outputs.rehearsal = said;
    },
  });
}
