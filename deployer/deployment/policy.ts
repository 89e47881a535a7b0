import type { Knex } from 'knex';
import type { Lock } from './model.ts';
import { toRecord, type DeploymentRow } from './record.ts';
import type { Policy } from './work.ts';

/** Locks, quarantine and the promotion gate, as the state says. */
export function policyOf(state: Knex): Policy & { lockOf(environment: string): Promise<Lock | null> } {
  async function lockOf(environment: string): Promise<Lock | null> {
    const row = await state<Lock & { environment: string }>('locks').where({ environment }).first();
    return row ? { reason: row.reason, holder: row.holder, since: row.since } : null;
  }
  return {
    lockOf,

    async locked(environment) {
      const lock = await lockOf(environment);
      return (
        lock &&
        `${environment} is locked by ${lock.holder} since ${lock.since}: ${lock.reason}; unlock ${environment} first`
      );
    },

    async quarantined(environment, commit) {
      const row: { deployment_id: string } | undefined = await state('quarantine')
        .where({ environment, commit })
        .first();
      return row
        ? `${commit.slice(0, 8)} is quarantined since deployment ${row.deployment_id}; push a new commit, or deploy with --override --reason`
        : null;
    },

    async addressOf(listen, except) {
      const live = state('environments').whereNotNull('live_deployment').whereNot({ name: except });
      const rows = await state<DeploymentRow>('deployments').whereIn('id', live.select('live_deployment'));
      return rows.map(toRecord).find(({ config }) => config?.listen === listen)?.environment ?? null;
    },

    async gate(requires, tree) {
      const same = await state<DeploymentRow>('deployments')
        .where({ environment: requires, tree, kind: 'deploy' })
        .select('commit', 'phase', 'outcome', 'finished_at');
      const verified = same
        .filter(({ outcome }) => outcome === 'deployed')
        .map(({ finished_at: at }) => at ?? '')
        .toSorted()
        .at(-1);
      // The same tree may have failed under another commit: the latest verdict counts.
      const failed = await state('quarantine')
        .where({ environment: requires })
        .whereIn('commit', [...new Set(same.map(({ commit }) => commit))])
        .max('since as at')
        .first();
      if (verified && !(failed?.['at'] >= verified)) return { state: 'open' };
      if (same.some(({ phase }) => phase !== 'finished')) return { state: 'pending' };
      return {
        state: 'closed',
        reason: `${requires} has not verified the tree ${tree.slice(0, 8)}; deploy it to ${requires} first`,
      };
    },
  };
}
