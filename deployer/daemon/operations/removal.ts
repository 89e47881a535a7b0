import type { Operations } from '../../operations.ts';
import { RefusedError } from '../../problem.ts';
import { discover } from '../../reconcile/environments.ts';
import { endRemoved } from '../removed.ts';
import type { Parts } from './parts.ts';

const UNFINISHED = ['waiting', 'running', 'switching', 'live', 'reverting'] as const;

/** Taking an environment away that no branch holds any more. */
export function removal(parts: Parts) {
  const { state, tools, reconciler, supervisor, backups } = parts;
  const { journal, mirror, policy, frontDoor } = tools;
  const { known, names, liveOrNull } = parts.lookUp;

  /** As the reconciler looks: what a branch holds would be back at the next look. */
  async function demandUnwanted(name: string): Promise<void> {
    const { branch } = await known(name);
    await mirror.fetch();
    const { wanted } = await discover(mirror, new Map([[name, branch]]));
    const holder = wanted.find((each) => each.name === name);
    if (holder)
      throw new RefusedError(
        `the branch ${holder.branch} holds environments/${name}.yaml: remove that file there, or the branch, first`,
      );
  }

  async function demandRest(name: string): Promise<void> {
    const locked = await policy.locked(name);
    if (locked) throw new RefusedError(locked);
    const present = await journal.newest(name, UNFINISHED);
    if (present)
      throw new RefusedError(`deployment ${present.id} runs in ${name}; ask again when it is over`);
  }

  return {
    async remove(name, { by, reason }) {
      await demandUnwanted(name);
      await demandRest(name);
      const made =
        (await liveOrNull(name)) && (await backups.operations.createBackup(name, { full: true, by }));
      await tools.backups.giveWay(name);
      await demandUnwanted(name);
      await demandRest(name);
      await state.transaction(async (trx) => {
        await trx('quarantine').where({ environment: name }).delete();
        await trx('environments').where({ name }).delete();
      });
      await journal.audit({
        actor: by,
        action: 'removed',
        environment: name,
        deployment: null,
        detail: reason,
      });
      await supervisor.forget(name);
      await frontDoor.stop(name);
      await endRemoved(tools, await names());
      await reconciler.look();
      return { name, backup: made?.id ?? null };
    },
  } satisfies Partial<Operations>;
}
