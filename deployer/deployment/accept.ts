import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Environment } from '../../environments/schema.ts';
import { givingWay } from './gives-way.ts';
import type { Entries } from './journal-entries.ts';
import { stagesOf, type Kind } from './model.ts';
import type { DeploymentRow, Request, StageRow } from './record.ts';
import { unfinished } from './records.ts';
import { isSame } from './same.ts';

export interface Acceptance {
  kind: Kind;
  environment: string;
  branch: string;
  commit: string;
  tree: string | null;
  requestedBy: string;
  automatic: boolean;
  request: Request;
  /** The environment, where it is known already. */
  config?: Environment | null;
}

/**
 * Within a transaction of the journal: stores a wanted deployment, unless the same request is not finished yet, and ends
 * what gives way to it.
 * @param also runs in the same transaction
 */
export async function acceptIn(
  trx: Knex.Transaction,
  entries: Entries,
  acceptance: Acceptance,
  also?: (trx: Knex) => Promise<void>,
): Promise<{ id: string; superseded: string[] }> {
  const { environment, kind } = acceptance;
  // An older one of the same commit will not do: it gives way to what came between.
  const newest = await unfinished(trx)
    .where({ environment })
    .whereNot({ kind: 'rehearsal' })
    .orderBy('seq', 'desc')
    .first();
  if (newest && isSame(newest, acceptance)) {
    await also?.(trx);
    return { id: newest.id, superseded: [] };
  }
  const waiting = await waitingIn(entries.rows(trx), environment);
  const id = await store(trx, entries, acceptance);
  // It may say what the branch's head is now.
  await also?.(trx);
  const older = kind === 'rehearsal' ? [] : await givingWay(trx, waiting, acceptance);
  for (const each of older)
    await entries.end(trx, each.id, { outcome: 'superseded', cause: tookItsPlace(id) });
  // After the end of the older ones: of the same commit, `pending` is the last word.
  await entries.tell(trx, id);
  return { id, superseded: older.map((each) => each.id) };
}

async function store(
  trx: Knex.Transaction,
  { rows, now, audit }: Entries,
  { requestedBy, request, config = null, ...rest }: Acceptance,
): Promise<string> {
  const at = now();
  const id = deploymentId(at);
  await rows(trx).insert({
    ...rest,
    id,
    phase: 'waiting',
    requested_by: requestedBy,
    requested_at: at,
    request: JSON.stringify(request),
    config: config && JSON.stringify(config),
  });
  await trx<StageRow>('stages').insert(
    stagesOf(rest.kind).map((name, position) => ({ deployment_id: id, position, name, state: 'waiting' })),
  );
  const { backup = '', override, reason = '' } = request;
  await audit(trx, {
    actor: requestedBy,
    action: `requested ${rest.kind}`,
    environment: rest.environment,
    deployment: id,
    detail: [rest.commit.slice(0, 8), backup, override ? 'override' : '', reason].filter(Boolean).join(' · '),
  });
  return id;
}

/** What waits in an environment, rehearsals left out. */
export const waitingIn = (rows: Knex.QueryBuilder<DeploymentRow>, environment: string) =>
  rows.where({ environment, phase: 'waiting' }).whereNot({ kind: 'rehearsal' });

export const tookItsPlace = (newer: string) => `a newer request, ${newer}, took its place`;

/** Sortable, and safe in paths and unit names: 20261120-194403-1f9a3c. */
function deploymentId(at: string): string {
  const [date = '', time = ''] = at.split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${randomBytes(3).toString('hex')}`;
}
