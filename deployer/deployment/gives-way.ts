import type { Knex } from 'knex';
import { toRecord, type DeploymentRecord, type DeploymentRow } from './record.ts';

type Newer = Pick<DeploymentRecord, 'environment' | 'commit' | 'automatic'>;

/**
 * Those of the environment's waiting deployments that end because of a newer request. What a person wants back, or passes
 * a gate for, is not undone by a push, which comes after it; and the branch's head, which a lock keeps waiting, is not undone
 * by whoever passes the lock with another commit: its turn comes with the unlocking.
 */
export async function givingWay(
  trx: Knex,
  waiting: readonly DeploymentRow[],
  newer: Newer,
): Promise<DeploymentRow[]> {
  const { environment } = newer;
  const row: { handled_head: string | null } | undefined = await trx('environments')
    .where({ name: environment })
    .first('handled_head');
  const isLocked = (await trx('locks').where({ environment }).first('environment')) !== undefined;
  const isPutAside = ({ commit }: DeploymentRow) =>
    isLocked && commit === row?.handled_head && commit !== newer.commit;
  return waiting.filter((older) => {
    const { kind, automatic, request } = toRecord(older);
    if (automatic) return newer.automatic || !isPutAside(older);
    return !newer.automatic || (kind === 'deploy' && !request.override);
  });
}

/** Of those that wait, what came after it and takes its place; undefined: nothing does. */
export async function newerThan(
  trx: Knex,
  row: DeploymentRow,
  waiting: readonly DeploymentRow[],
): Promise<DeploymentRow | undefined> {
  for (const newer of waiting.filter(({ seq }) => seq > row.seq)) {
    const [givesWay] = await givingWay(trx, [row], toRecord(newer));
    if (givesWay) return newer;
  }
  return undefined;
}
