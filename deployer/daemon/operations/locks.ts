import type { Lock } from '../../deployment/model.ts';
import type { Tools } from '../../deployment/work.ts';
import type { Operations } from '../../operations.ts';
import { RefusedError } from '../../problem.ts';
import type { Parts } from './operations.ts';

/** No deployments of an environment until it is unlocked. */
export function locks(parts: Parts) {
  const { state, tools, conductor } = parts;
  const { journal, policy } = tools;
  const { known } = parts.lookUp;

  return {
    async lock(name, reason, by) {
      await known(name);
      const lock: Lock = { reason, holder: by, since: tools.clock().toISOString() };
      const inserted = await state('locks')
        .insert({ environment: name, ...lock })
        .onConflict('environment')
        .ignore()
        .returning('environment');
      if (inserted.length === 0) throw new RefusedError((await policy.locked(name)) ?? `${name} is locked`);
      await journal.audit({
        actor: by,
        action: 'locked',
        environment: name,
        deployment: null,
        detail: reason,
      });
      return lock;
    },

    async unlock(name, by) {
      await known(name);
      if ((await state('locks').where({ environment: name }).delete()) === 0) return;
      await journal.audit({ actor: by, action: 'unlocked', environment: name, deployment: null, detail: '' });
      await conductor.kick(name);
    },
  } satisfies Partial<Operations>;
}

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
