import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { parseEnvironment } from '../../environments/parse.ts';
import type { Conductor } from '../deployment/conductor.ts';
import type { DeploymentRecord } from '../deployment/record.ts';
import type { Gate, Policy, Tools } from '../deployment/work.ts';
import { FailedError, RefusedError, UsageError } from '../problem.ts';
import type { EnvironmentRow, Reconciler } from '../reconcile/reconciler.ts';

const GATE_PATIENCE_MS = 10 * 60_000;

interface Promotion {
  from: EnvironmentRow;
  to: EnvironmentRow;
  by: string;
  override?: boolean | undefined;
  reason?: string | undefined;
}

/**
 * Merges FROM's branch into TO's on the forge, as a maintainer would, and stores the deployment of the result.
 * What the gate would refuse is refused before the merge, so that the branch keeps only what can be deployed.
 */
export async function promote(
  parts: {
    state: Knex;
    tools: Tools;
    policy: Policy;
    reconciler: Pick<Reconciler, 'look'>;
    conductor: Conductor;
  },
  promotion: Promotion,
): Promise<DeploymentRecord> {
  const { tools, policy, conductor } = parts;
  const { from, to, by, override, reason } = promotion;
  if (from.name === to.name) throw new UsageError('promote takes two environments');
  await tools.mirror.fetch();
  const head = await headOf(tools, from.branch);
  const base = await headOf(tools, to.branch);
  const merged = await tools.mirror.mergeTree(base.commit, head.commit);
  if ('conflicts' in merged)
    throw new FailedError(
      `${from.branch} cannot be merged into ${to.branch}: they conflict in ${merged.conflicts.join(', ')}; merge ${to.branch} into ${from.branch} first`,
    );
  const { tree } = merged;
  if (!override) await demandOpen(parts, to, head.commit, tree);
  const locked = await policy.locked(to.name);
  if (locked && !override) throw new RefusedError(locked);
  const commit = await tools.forge.merge({
    base: to.branch,
    head: head.commit,
    message: `Merge branch '${from.branch}' into ${to.branch}`,
  });
  await tools.mirror.fetch();
  const result = await tools.mirror.resolve({ commit });
  const record = await tools.journal.accept(
    {
      kind: 'deploy',
      environment: to.name,
      branch: to.branch,
      commit,
      tree: result?.tree ?? tree,
      requestedBy: by,
      automatic: false,
      request: {
        override,
        reason,
      },
    },
    async (trx) =>
      void (await trx<EnvironmentRow>('environments')
        .where({ name: to.name })
        .update({ handled_head: commit })),
  );
  await conductor.kick(to.name);
  return record;
}

async function headOf(tools: Tools, branch: string) {
  const head = await tools.mirror.resolve({ branch });
  if (!head) throw new UsageError(`there is no branch ${branch} on ${tools.forge.name}`);
  return head;
}

/** Waits while the required environment still verifies this tree. */
async function demandOpen(
  parts: { tools: Tools; policy: Policy },
  to: EnvironmentRow,
  commit: string,
  tree: string,
): Promise<void> {
  const { tools, policy } = parts;
  const file = `environments/${to.name}.yaml`;
  const { requires } = parseEnvironment((await tools.mirror.read(commit, file)) ?? '', file);
  if (requires === undefined) return;
  const deadline = performance.now() + GATE_PATIENCE_MS;
  let verdict: Gate = await policy.gate(requires, tree);
  for (
    ;
    verdict.state === 'pending' && performance.now() < deadline;
    verdict = await policy.gate(requires, tree)
  )
    await sleep(100);
  if (verdict.state !== 'open')
    throw new RefusedError(
      verdict.state === 'closed' ? verdict.reason : `${requires} is still verifying this tree`,
    );
}
