import type { Deployment } from '../../deployment/model.ts';
import { environmentIn } from '../../deployment/gate.ts';
import type { Acceptance } from '../../deployment/accept.ts';
import { refusal, refusedBranch } from '../../deployment/refusal.ts';
import { undoOf } from '../../deployment/restore.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import type { DeployRequest, Operations, RollbackRequest } from '../../operations.ts';
import { RefusedError, UsageError } from '../../problem.ts';
import type { EnvironmentRow } from '../../reconcile/reconciler.ts';
import { promote } from '../promote.ts';
import { demandUnlocked } from '../unlocked.ts';
import type { Parts } from './parts.ts';

/** What ends in a deployment: each is stored, and runs by itself. */
export function requests(parts: Parts, deployment: Operations['deployment']) {
  const { state, tools, conductor, reconciler } = parts;
  const { journal, mirror, policy } = tools;
  const { known, live, headOf } = parts.lookUp;

  async function accepted(record: DeploymentRecord): Promise<Deployment> {
    parts.outbox.kick();
    if (record.kind === 'rehearsal') parts.rehearsals.kick();
    else await conductor.kick(record.environment);
    return deployment(record.id);
  }

  async function deploy(request: DeployRequest): Promise<Deployment> {
    const { environment: name, branch, commit, by } = request;
    const row = await known(name);
    demandReason(request);
    await mirror.fetch();
    const target = await mirror.resolve(commit === undefined ? { branch: branch ?? row.branch } : { commit });
    if (!target)
      throw new UsageError(
        commit === undefined
          ? `there is no branch ${branch ?? row.branch} on ${tools.forge.name}`
          : `there is no commit ${commit} on ${tools.forge.name}; give all its characters`,
      );
    const wanted: Acceptance = {
      kind: 'deploy',
      environment: name,
      branch: branch ?? row.branch,
      commit: target.commit,
      tree: target.tree,
      requestedBy: by,
      automatic: false,
      request: {
        override: request.override,
        reason: request.reason,
      },
    };
    await demandAllowed(wanted);
    const record = await journal.accept(wanted, async (trx) => {
      const handled = branch === undefined && commit === undefined;
      if (handled)
        await trx<EnvironmentRow>('environments').where({ name }).update({ handled_head: target.commit });
    });
    return accepted(record);
  }

  /** Who asks by hand is told at once; and what waits already does not give way to what would be refused. */
  async function demandAllowed(wanted: Acceptance): Promise<void> {
    const config = await environmentIn(mirror, wanted.environment, wanted.commit);
    const refused = (await refusal(tools, wanted)) ?? (config && refusedBranch(config, wanted));
    if (refused) throw new RefusedError(refused);
  }

  async function rollback(request: RollbackRequest): Promise<Deployment> {
    const { environment: name, by, reason, restoreBackup } = request;
    const from = (await live(name)).record;
    // Asked for before anybody was told that it is done: not one step further back.
    if ('last' in request.target && from.kind === 'rollback' && from.phase !== 'finished')
      return deployment(from.id);
    await demandUnlocked(policy, name);
    const undo = 'last' in request.target ? await undoOf(journal, from) : null;
    const target = undo?.target ?? (await rollbackTarget(name, request.target, from));
    const record = await journal.accept({
      kind: 'rollback',
      environment: name,
      branch: target.branch,
      commit: target.commit,
      tree: target.tree,
      requestedBy: by,
      automatic: false,
      request: {
        target: target.id,
        // The undo of a restore takes no commit back.
        from: target.commit === from.commit ? undefined : from.commit,
        reason,
        restoreBackup,
        undoes: undo?.undoes,
      },
    });
    return accepted(record);
  }

  async function rollbackTarget(
    name: string,
    target: RollbackRequest['target'],
    from: DeploymentRecord,
  ): Promise<DeploymentRecord> {
    if ('last' in target) {
      if (!from.previous)
        throw new RefusedError(`there is no earlier release in ${name}: ${from.id} is its first`);
      return journal.get(from.previous);
    }
    if ('commit' in target && !/^[0-9a-f]{7,64}$/.test(target.commit))
      throw new UsageError(`expected a commit of 7 to 64 hexadecimal digits, got ${target.commit}`);
    const earlier = await journal.wasLive(name, target);
    const asked = 'commit' in target ? target.commit : target.version;
    if (!earlier) throw new UsageError(`${asked} was never live in ${name}; see history ${name}`);
    if (earlier.commit === from.commit) throw new RefusedError(`${asked} is live in ${name} already`);
    return earlier;
  }

  return {
    deploy,
    rollback,

    async promote(request) {
      demandReason(request);
      const [from, to] = [await known(request.from), await known(request.to)];
      return deployment(
        (await promote({ state, tools, policy, reconciler, conductor }, { ...request, from, to })).id,
      );
    },

    async rehearse(name, by) {
      const row = await known(name);
      const head = await headOf(row);
      const record = await journal.accept({
        kind: 'rehearsal',
        environment: name,
        branch: row.branch,
        commit: head.commit,
        tree: head.tree,
        requestedBy: by,
        automatic: false,
        request: {},
      });
      return accepted(record);
    },
  } satisfies Partial<Operations>;
}

/** Whoever passes a gate says why, for the record. */
function demandReason({
  override,
  reason,
}: {
  override?: boolean | undefined;
  reason?: string | undefined;
}): void {
  if (override && !reason?.trim()) throw new UsageError('--override needs --reason: why is the gate passed?');
}
