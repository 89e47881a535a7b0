import type { Lock } from '../../deployment/model.ts';
import type { Operations } from '../../operations.ts';
import { RefusedError } from '../../problem.ts';
import type { Parts } from './parts.ts';

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
