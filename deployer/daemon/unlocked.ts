import type { Policy } from '../deployment/work.ts';
import { RefusedError } from '../problem.ts';

/**
 * Whoever asks by hand is told of the lock at once, and a push that the lock makes wait goes on waiting: it is neither
 * joined nor superseded by what the lock would refuse.
 */
export async function demandUnlocked(policy: Pick<Policy, 'locked'>, environment: string): Promise<void> {
  const locked = await policy.locked(environment);
  if (locked) throw new RefusedError(locked);
}
