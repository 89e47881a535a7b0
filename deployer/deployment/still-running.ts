import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../problem.ts';
import { healthOf, socketPath } from './instance.ts';
import { tellingWords } from './last-words.ts';
import type { Instance, Work } from './work.ts';

const ANSWER_MS = 2000;
/** A process that answers nobody any more has so long to end. */
const END_MS = 2000;
const PAUSE_MS = 20;

/**
 * An instance that ended while it was verified explains every check that failed.
 * @throws FailedError with what it said last
 */
export async function demandRunning(
  { tools, release, outputs }: Work,
  { environment, slot }: Pick<Instance, 'environment' | 'slot'>,
): Promise<void> {
  const instance = await tools.instances.get(environment, slot);
  if (!instance || !release) return;
  const { status, hung } = await healthOf(socketPath(tools, environment, slot), ANSWER_MS);
  if (status !== null || hung) return;
  const deadline = performance.now() + END_MS;
  while (tools.services.alive(instance.process)) {
    if (performance.now() > deadline) return;
    await sleep(PAUSE_MS);
  }
  const said = slot.startsWith('rehearsal-') ? outputs.rehearsal : outputs.candidate;
  const words = tellingWords((await said?.().catch(() => '')) ?? '', release.directory);
  throw new FailedError(`crashed while it was verified: ${words}`);
}
