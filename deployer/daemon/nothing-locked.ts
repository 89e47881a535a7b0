import type { Tools } from '../deployment/work.ts';
import { RefusedError } from '../problem.ts';

/**
 * A push that a lock makes wait is neither joined nor superseded by what the lock will refuse: whoever asks by hand is
 * told of the lock at once, and the push goes on waiting.
 */
export async function demandNothingLocked(
  { journal, policy }: Pick<Tools, 'journal' | 'policy'>,
  environment: string,
): Promise<void> {
  const waiting = await journal.newest(environment, ['waiting']);
  const locked = waiting?.automatic ? await policy.locked(environment) : null;
  if (locked) throw new RefusedError(locked);
}
