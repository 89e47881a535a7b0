import { logFileOf } from '../../deployment/prepare.ts';
import type { Deployment, EnvironmentStatus } from '../../deployment/model.ts';
import { policyOf } from '../../deployment/policy.ts';
import { toSummary, type DeploymentRecord, type DeploymentRow } from '../../deployment/record.ts';
import type { AuditEntry, Operations } from '../../operations.ts';
import { UsageError } from '../../problem.ts';
import type { EnvironmentRow } from '../../reconcile/reconciler.ts';
import { logLines, watchDeployment } from '../watch.ts';
import type { Parts } from './parts.ts';

const MOST_ROWS = 200;
/** The newest that a status names. */
const MOST_QUARANTINED = 100;
const UNFINISHED = ['running', 'switching', 'live', 'reverting'] as const;

interface AuditRow extends Omit<AuditEntry, 'deployment'> {
  id: number;
  deployment_id: string | null;
}

/** What is there, what was, and what is wrong. Nothing is changed by asking. */
export function questions(parts: Parts) {
  const { state, tools, reconciler } = parts;
  const { journal } = tools;
  const policy = policyOf(state);
  const rows = () => state<DeploymentRow>('deployments');
  const { names, known, remembered } = parts.lookUp;

  async function details(record: Pick<DeploymentRecord, 'id'> | null): Promise<Deployment | null> {
    return record && journal.details(record.id);
  }

  async function deployment(id: string): Promise<Deployment> {
    const found = await journal.details(id);
    if (!found) throw new UsageError(`there is no deployment ${id}; see history ENV`);
    return found;
  }

  async function environment(name: string): Promise<EnvironmentStatus> {
    await known(name);
    // Rehearsals are told by `history`: nothing of an environment comes of them.
    const last = await rows()
      .where({ environment: name, phase: 'finished' })
      .whereNot({ kind: 'rehearsal' })
      .orderBy('seq', 'desc')
      .first();
    const quarantined: { commit: string }[] = await state('quarantine')
      .where({ environment: name })
      .orderBy('since', 'desc')
      .limit(MOST_QUARANTINED)
      .select('commit');
    return {
      name,
      live: await details(await journal.liveOf(name)),
      running: await details(await journal.newest(name, UNFINISHED)),
      waiting: await details(await journal.next(name)),
      last: await details(last ?? null),
      lock: await policy.lockOf(name),
      quarantined: quarantined.map(({ commit }) => commit).toReversed(),
    };
  }

  return {
    environment,
    environments: async () => Promise.all((await names()).map((name) => environment(name))),
    deployment,

    async deployments({ environment: name, commit, outcome, limit = 50, cursor }) {
      if (name !== undefined) await remembered(name);
      const size = Math.min(Math.max(limit, 1), MOST_ROWS);
      const before = cursor === undefined ? undefined : positionOf(cursor);
      const found = await journal.page({ environment: name, commit, outcome, before, most: size + 1 });
      const page = found.slice(0, size);
      return {
        deployments: page.map(toSummary),
        next: found.length > size ? String(page.at(-1)?.seq) : null,
      };
    },

    async *log(id, options) {
      await deployment(id);
      yield* logLines(journal, id, logFileOf(tools.home, id), options);
    },

    watch: (id, signal) => watchDeployment(journal, id, signal),

    async audit(name, cursor) {
      await remembered(name);
      const newest = state<AuditRow>('audit').where({ environment: name }).orderBy('id', 'desc');
      const from = cursor === undefined ? newest : newest.where('id', '<', positionOf(cursor));
      const found = await from.limit(MOST_ROWS + 1);
      const page = found.slice(0, MOST_ROWS);
      return {
        entries: page.map(toEntry),
        next: found.length > MOST_ROWS ? String(page.at(-1)?.id) : null,
      };
    },

    async readiness() {
      const all = await state<EnvironmentRow>('environments');
      const reasons = all
        .filter((row) => row.live_deployment === null)
        .map(({ name }) => `${name} is not live yet`);
      if (!parts.recovered()) reasons.unshift('what was running before is being recovered');
      if (all.length === 0) reasons.push('no branch holds an environment yet');
      return { ready: reasons.length === 0, reasons: [...reasons, ...parts.supervisor.problems()] };
    },

    async problems() {
      const { count, error } = await parts.outbox.backlog();
      const waiting =
        count > 0 ? [`${count} reports wait for ${tools.forge.name}: ${error ?? 'no reason was given'}`] : [];
      const trouble = tools.forge.trouble();
      const troubled = trouble ? [`${trouble.what} (since ${trouble.since}). Mend: ${trouble.mend}`] : [];
      return [
        ...troubled,
        ...reconciler.problems(),
        ...parts.rehearsals.problems(),
        ...parts.supervisor.problems(),
        ...parts.schedule.problems(),
        ...parts.upgrade.problems(),
        ...(await parts.backups.problems()),
        ...waiting,
        ...(await parts.outbox.givenUp()),
      ];
    },
  } satisfies Partial<Operations>;
}

function toEntry({
  at,
  actor,
  action,
  environment,
  deployment_id: deployment,
  detail,
}: AuditRow): AuditEntry {
  return { at, actor, action, environment, deployment, detail };
}

/** What `next` said: the place of the last row of a page. */
function positionOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new UsageError(`expected the next of an earlier answer as cursor, got ${cursor}`);
}
