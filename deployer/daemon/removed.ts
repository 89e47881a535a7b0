import { DRAIN_MS, stop } from '../deployment/instance.ts';
import type { Tools } from '../deployment/work.ts';

/** Ends what an environment that was removed still runs; a daemon that died over it may have left that. May be repeated. */
export async function endRemoved(
  tools: Pick<Tools, 'frontDoor' | 'instances' | 'services' | 'runDirectory'>,
  environments: readonly string[],
): Promise<void> {
  const left = (await tools.instances.all()).filter(({ environment }) => !environments.includes(environment));
  for (const name of new Set(left.map(({ environment }) => environment))) await tools.frontDoor.stop(name);
  await Promise.all(left.map((instance) => stop(tools, instance, DRAIN_MS)));
}
