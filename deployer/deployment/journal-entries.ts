import type { Knex } from 'knex';
import { enqueue } from '../forge/outbox.ts';
import { oneLine } from '../problem.ts';
import type { Redact } from '../redaction.ts';
import { assertTransition, type Phase } from './lifecycle.ts';
import type { Kind, Outcome } from './model.ts';
import type { DeploymentRecord, DeploymentRow, RanSuite, StageRow } from './record.ts';
import type { Report } from '../forge/types.ts';
import type { Records } from './records.ts';

/** What the forge is to be told of a deployment; `replaced` is what it took the place of. */
export type Tell = (
  deployment: DeploymentRecord,
  suites: RanSuite[],
  replaced: DeploymentRecord | null,
) => Report[];

export type Entries = ReturnType<typeof journalEntries>;

/** What the journal's transactions are made of: a transition, its audit entry, and the reports that it causes. */
export function journalEntries(options: {
  records: Records;
  now: () => string;
  reports: Tell;
  redact: Redact;
}) {
  const { records, now, reports, redact } = options;
  const rows = (trx: Knex) => trx<DeploymentRow>('deployments');
  // Before it is cut: half a secret is not recognised any more.
  const line = (error: unknown) => oneLine(redact(error instanceof Error ? error.message : String(error)));

  async function audit(
    trx: Knex,
    entry: { actor: string; action: string; environment: string; deployment: string | null; detail: string },
  ): Promise<void> {
    const { deployment, detail, ...rest } = entry;
    await trx('audit').insert({ ...rest, at: now(), deployment_id: deployment, detail: line(detail) });
  }

  async function tell(trx: Knex, id: string): Promise<void> {
    const record = await records.get(id, trx);
    const replaced = record.replaced === null ? null : await records.get(record.replaced, trx);
    for (const report of reports(await described(record, trx), await records.suitesOf(id, trx), replaced))
      await enqueue(trx, report, now());
  }

  /** Until its own tree has been read, the environment is as it was. */
  async function described(record: DeploymentRecord, trx: Knex): Promise<DeploymentRecord> {
    if (record.config !== null || record.outcome !== null) return record;
    return { ...record, config: (await records.liveOf(record.environment, trx))?.config ?? null };
  }

  async function move(trx: Knex, id: string, to: Phase, columns: Partial<DeploymentRow>): Promise<void> {
    const { phase } = await records.get(id, trx);
    assertTransition(phase, to);
    await rows(trx)
      .where({ id })
      .update({ ...columns, phase: to });
  }

  async function end(
    trx: Knex,
    id: string,
    {
      outcome,
      cause,
      isTransient = false,
    }: { outcome: Outcome; cause: string | null; isTransient?: boolean },
  ): Promise<void> {
    const record = await records.get(id, trx);
    await move(trx, id, 'finished', {
      outcome,
      // A stage may have noted what has to be said of a success.
      ...(cause === null ? {} : { cause: line(cause) }),
      finished_at: now(),
    });
    await trx<StageRow>('stages')
      .where({ deployment_id: id, state: 'waiting' })
      .update({ state: 'skipped', cause: 'not reached' });
    if (hasProved(record.kind, outcome))
      await trx('quarantine').where({ environment: record.environment, commit: record.commit }).delete();
    if (!isTransient && quarantines(record.kind, outcome)) await quarantine(trx, record);
    if (record.kind === 'rollback' && outcome === 'ok' && record.request.from) {
      await quarantine(trx, { ...record, commit: record.request.from });
    }
    await audit(trx, {
      actor: 'deployer',
      action: outcome,
      environment: record.environment,
      deployment: id,
      detail: cause ?? record.cause ?? `${record.kind} of ${record.commit.slice(0, 8)}`,
    });
    await tell(trx, id);
  }

  async function quarantine(
    trx: Knex,
    record: Pick<DeploymentRecord, 'environment' | 'commit' | 'id'>,
  ): Promise<void> {
    const { environment, commit, id } = record;
    await trx('quarantine')
      .insert({ environment, commit, deployment_id: id, since: now() })
      .onConflict(['environment', 'commit'])
      .merge();
  }

  return { rows, now, line, audit, tell, move, end, quarantine };
}

/** A commit that failed is never deployed again by itself; a refusal or a newer commit is not its failure. */
function quarantines(kind: Kind, outcome: Outcome): boolean {
  return (
    kind === 'deploy' &&
    (outcome === 'rejected' || outcome === 'rolled_back' || outcome === 'needs_attention')
  );
}

/** It is live and verified: an override, or a rollback to it, has lifted its quarantine. */
const hasProved = (kind: Kind, outcome: Outcome) =>
  outcome === 'deployed' || (kind === 'rollback' && outcome === 'ok');
