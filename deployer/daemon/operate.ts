import type { Knex } from 'knex';
import type { Conductor } from '../deployment/conductor.ts';
import { logFileOf } from '../deployment/prepare.ts';
import type { Deployment, EnvironmentStatus, Lock } from '../deployment/model.ts';
import { policyOf } from '../deployment/policy.ts';
import { migrate, verify } from '../deployment/programs.ts';
import { undoOf } from '../deployment/restore.ts';
import { toRecord, toSummary, type DeploymentRecord, type DeploymentRow } from '../deployment/record.ts';
import type { Tools } from '../deployment/work.ts';
import type { createOutbox } from '../forge/outbox.ts';
import type { AuditEntry, DeployRequest, Operations, RollbackRequest } from '../operations.ts';
import type { Environment } from '../../environments/schema.ts';
import { RefusedError, UsageError } from '../problem.ts';
import type { EnvironmentRow, Reconciler } from '../reconcile/reconciler.ts';
import type { BackupOperations } from './backup-operations.ts';
import { contextOfHead } from './head.ts';
import type { LookUp } from './live.ts';
import { promote } from './promote.ts';
import type { Rehearsals } from './rehearsals.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';
import type { Schedule } from './schedule.ts';
import type { Supervisor } from './supervise.ts';
import { logLines, watchDeployment } from './watch.ts';

const MOST_ROWS = 200;
const UNFINISHED = ['running', 'switching', 'live', 'reverting'] as const;

export interface Parts {
  state: Knex;
  tools: Tools;
  conductor: Conductor;
  reconciler: Reconciler;
  rehearsals: Pick<Rehearsals, 'kick' | 'problems'>;
  supervisor: Supervisor;
  outbox: ReturnType<typeof createOutbox>;
  lookUp: LookUp;
  backups: BackupOperations;
  schedule: Pick<Schedule, 'problems'>;
  upgrade: Pick<Upgrade, 'problems'>;
  /** False while what an earlier daemon left is being brought to a known state. */
  recovered: () => boolean;
}

/** What people and programs can ask of the deployer, on the rooms of the house. */
export function createOperations(parts: Parts): Operations {
  const { state, tools, conductor, reconciler } = parts;
  const { journal, mirror } = tools;
  const policy = policyOf(state);
  const rows = () => state<DeploymentRow>('deployments');
  const { names, known, live, contextOf } = parts.lookUp;

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
      .orderBy('since')
      .select('commit');
    return {
      name,
      live: await details(await journal.liveOf(name)),
      running: await details(await journal.newest(name, UNFINISHED)),
      waiting: await details(await journal.newest(name, ['waiting'])),
      last: await details(last ?? null),
      lock: await policy.lockOf(name),
      quarantined: quarantined.map(({ commit }) => commit),
    };
  }

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
    await demandUnlocked(request, target.commit);
    const record = await journal.accept(
      {
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
      },
      async (trx) => {
        const handled = branch === undefined && commit === undefined;
        if (handled)
          await trx<EnvironmentRow>('environments').where({ name }).update({ handled_head: target.commit });
      },
    );
    return accepted(record);
  }

  /** A push that a lock makes wait is not joined: whoever asks by hand is told of the lock, and the push goes on waiting. */
  async function demandUnlocked(
    { environment: name, override }: DeployRequest,
    commit: string,
  ): Promise<void> {
    const waiting = await journal.newest(name, ['waiting']);
    if (override || !waiting?.automatic || waiting.commit !== commit) return;
    const locked = await tools.policy.locked(name);
    if (locked) throw new RefusedError(locked);
  }

  async function rollback(request: RollbackRequest): Promise<Deployment> {
    const { environment: name, by, reason, restoreBackup } = request;
    const from = (await live(name)).record;
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
    const earlier = rows()
      .where({ environment: name })
      .whereNotNull('live_at')
      .whereNotNull('slot')
      .whereIn('outcome', ['deployed', 'ok']);
    if ('commit' in target && !/^[0-9a-f]{7,64}$/.test(target.commit))
      throw new UsageError(`expected a commit of 7 to 64 hexadecimal digits, got ${target.commit}`);
    const query =
      'commit' in target
        ? earlier.where('commit', 'like', `${target.commit}%`)
        : earlier.where({ tag: target.version });
    const row = await query.orderBy('seq', 'desc').first();
    const asked = 'commit' in target ? target.commit : target.version;
    if (!row) throw new UsageError(`${asked} was never live in ${name}; see history ${name}`);
    if (row.commit === from.commit) throw new RefusedError(`${asked} is live in ${name} already`);
    return toRecord(row);
  }

  return {
    environment,
    environments: async () => Promise.all((await names()).map((name) => environment(name))),
    deployment,
    deploy,
    rollback,

    async deployments({ environment: name, commit, outcome, limit = 50, cursor }) {
      if (name !== undefined) await known(name);
      const size = Math.min(Math.max(limit, 1), MOST_ROWS);
      const query = rows()
        .orderBy('seq', 'desc')
        .limit(size + 1);
      if (name !== undefined) void query.where({ environment: name });
      if (commit !== undefined)
        void query.where('commit', 'like', `${commit.replaceAll(/[^0-9a-f]/g, '?')}%`);
      if (outcome !== undefined) void query.where({ outcome });
      if (cursor !== undefined) void query.where('seq', '<', positionOf(cursor));
      const found = await query;
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

    async promote(request) {
      demandReason(request);
      const [from, to] = [await known(request.from), await known(request.to)];
      return deployment(
        (await promote({ state, tools, policy, reconciler, conductor }, { ...request, from, to })).id,
      );
    },

    async rehearse(name, by) {
      const row = await known(name);
      await mirror.fetch();
      const head = await mirror.resolve({ branch: row.branch });
      if (!head) throw new UsageError(`there is no branch ${row.branch} on ${tools.forge.name}`);
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

    async verify(name, suites) {
      const present = await live(name);
      demandSuites(present.config, suites);
      const context = await contextOf(present, AbortSignal.timeout(present.config.verify.timeout + 60_000));
      // A rollback may have made an earlier instance live again: it still says the deployment that started it.
      const instance = await tools.instances.get(name, present.slot);
      if (instance) context.deployment.id = instance.deployment;
      const asked = suites.length > 0 ? suites : (present.config.verify.suites ?? []);
      const found = await verify(tools, context, {
        instance: { environment: name, slot: present.slot },
        generation: present.generation,
        suites: asked,
      });
      return { success: found.every(({ success }) => success), suites: found };
    },

    async migrations(name, rehearsal) {
      const row = await known(name);
      const { generation } = await live(name);
      await mirror.fetch();
      const head = await mirror.resolve({ branch: row.branch });
      if (!head) throw new UsageError(`there is no branch ${row.branch} on ${tools.forge.name}`);
      const context = await contextOfHead(tools, row, head);
      if (!context.config.commands.migrate || !generation)
        throw new RefusedError(
          `${name} has no migrations: its file names no commands.migrate or no database`,
        );
      const report = await migrate(tools, context, generation, ['status']);
      if (rehearsal === undefined) return report;
      await deployment(rehearsal);
      return { ...report, ran: (await journal.get(rehearsal)).ran };
    },

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

    ...parts.backups.operations,

    async audit(name) {
      await known(name);
      const found: (Omit<AuditEntry, 'deployment'> & { deployment_id: string | null })[] = await state(
        'audit',
      )
        .where({ environment: name })
        .orderBy('id', 'desc')
        .limit(MOST_ROWS);
      return found.map(({ at, actor, action, environment: where, deployment_id, detail }) => ({
        at,
        actor,
        action,
        environment: where,
        deployment: deployment_id,
        detail,
      }));
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
      ];
    },
  };
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

/** What `next` said: the place of the last row of a page. */
function positionOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new UsageError(`expected the next of an earlier answer as cursor, got ${cursor}`);
}

function demandSuites({ name, commands, verify: { suites } }: Environment, asked: readonly string[]): void {
  const known = commands.verify === undefined ? ['service'] : suites;
  const unknown = known && asked.find((suite) => !known.includes(suite));
  if (known && unknown !== undefined)
    throw new UsageError(`${name} has no suite ${unknown}; it has ${known.join(', ')}`);
}
