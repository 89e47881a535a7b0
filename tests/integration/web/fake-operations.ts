import { EventEmitter, on } from 'node:events';
import { STAGES } from '../../../deployer/deployment/model.ts';
import type {
  Deployment,
  EnvironmentStatus,
  Kind,
  Outcome,
  Stage,
  StageName,
} from '../../../deployer/deployment/model.ts';
import type { Backup, Operations } from '../../../deployer/operations.ts';
import { FailedError, RefusedError, UsageError } from '../../../deployer/problem.ts';

type Verification = Awaited<ReturnType<Operations['verify']>>;

/** The deployer in memory: what was asked is kept, and a test says what happens next. */
export class FakeOperations implements Operations {
  readonly asked: { verb: string; with: unknown }[] = [];
  readonly deploymentsById = new Map<string, Deployment>();
  readonly logs = new Map<string, string[]>();
  readonly environmentsByName = new Map<string, EnvironmentStatus>();
  readonly backupsKept: Backup[] = [];
  /** Ids of those that do not verify. */
  readonly damaged = new Set<string>();
  sql = 'BEGIN;\nCOMMIT;\n';
  verification: Verification = { success: true, suites: [] };
  ready: { ready: boolean; reasons: string[] } = { ready: true, reasons: [] };
  problemList: string[] = [];
  /** Thrown by the next call that changes something. */
  failure: Error | null = null;
  /** How many streams are open: for tests of clients that go away. */
  listeners = 0;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  addEnvironment(name: string, more: Partial<EnvironmentStatus> = {}): void {
    this.environmentsByName.set(name, { ...emptyEnvironment(name), ...more });
  }

  addDeployment(more: Partial<Deployment> & { id: string }): Deployment {
    const deployment = { ...emptyDeployment(more.id), ...more };
    this.deploymentsById.set(deployment.id, deployment);
    this.#changes.emit('change', deployment.id);
    return deployment;
  }

  stage(
    id: string,
    name: StageName,
    state: Stage['state'],
    durationMs: number | null,
    cause: string | null = null,
  ) {
    const present = this.#find(id);
    const stages = present.stages.map((each) =>
      each.name === name ? { name, state, durationMs, cause } : each,
    );
    this.addDeployment({ ...present, stages });
  }

  finish(id: string, outcome: Outcome, cause: string | null = null): void {
    this.addDeployment({ ...this.#find(id), outcome, cause, finishedAt: '2026-11-20T12:00:09.000Z' });
  }

  addLine(id: string, line: string): void {
    this.logs.set(id, [...(this.logs.get(id) ?? []), line]);
    this.#changes.emit('change', id);
  }

  async environments() {
    return [...this.environmentsByName.values()];
  }

  async environment(name: string) {
    const found = this.environmentsByName.get(name);
    if (!found) throw new UsageError(`there is no environment ${name}; see npx deployer status`);
    return found;
  }

  async deployments(query: Parameters<Operations['deployments']>[0]) {
    this.asked.push({ verb: 'deployments', with: query });
    const all = [...this.deploymentsById.values()]
      .toReversed()
      .filter((each) => query.environment === undefined || each.environment === query.environment)
      .map(({ stages: _stages, suites: _suites, ...summary }) => summary);
    const start = Number(query.cursor ?? 0);
    const end = start + (query.limit ?? 50);
    return { deployments: all.slice(start, end), next: end < all.length ? String(end) : null };
  }

  async deployment(id: string) {
    return this.#find(id);
  }

  async *log(id: string, { follow, signal }: { follow: boolean; signal: AbortSignal }) {
    let seen = 0;
    for await (const isOver of this.#each(id, signal)) {
      const lines = this.logs.get(id) ?? [];
      yield* lines.slice(seen);
      seen = lines.length;
      if (isOver || !follow) return;
    }
  }

  async *watch(id: string, signal: AbortSignal) {
    for await (const isOver of this.#each(id, signal)) {
      yield this.#find(id);
      if (isOver) return;
    }
  }

  async deploy(request: Parameters<Operations['deploy']>[0]) {
    return this.#begin('deploy', request, request.environment, 'deploy');
  }

  async promote(request: Parameters<Operations['promote']>[0]) {
    await this.environment(request.from);
    return this.#begin('promote', request, request.to, 'deploy');
  }

  async rollback(request: Parameters<Operations['rollback']>[0]) {
    return this.#begin('rollback', request, request.environment, 'rollback');
  }

  async rehearse(environment: string, by: string) {
    return this.#begin('rehearse', { environment, by }, environment, 'rehearsal');
  }

  async verify(environment: string, suites: string[]) {
    await this.#change('verify', { environment, suites }, environment);
    return this.verification;
  }

  async migrations(environment: string) {
    await this.environment(environment);
    return { success: true, applied: ['001_first'], pending: ['002_second'], ran: [], error: null };
  }

  async lock(environment: string, reason: string, by: string) {
    const status = await this.#change('lock', { environment, reason, by }, environment);
    if (status.lock !== null)
      throw new RefusedError(`${environment} is locked by ${status.lock.holder} already`);
    const lock = { reason, holder: by, since: '2026-11-20T12:00:00.000Z' };
    this.addEnvironment(environment, { ...status, lock });
    return lock;
  }

  async unlock(environment: string, by: string) {
    const status = await this.#change('unlock', { environment, by }, environment);
    this.addEnvironment(environment, { ...status, lock: null });
  }

  async remove(name: string, request: { by: string; reason: string }) {
    await this.#change('remove', { name, ...request }, name);
    this.environmentsByName.delete(name);
    return { name, backup: null };
  }

  async backups(environment: string) {
    await this.environment(environment);
    return this.backupsKept;
  }

  async createBackup(environment: string, { full, by }: { full?: boolean; by: string }) {
    await this.#change('createBackup', { environment, full, by }, environment);
    const backup: Backup = {
      id: '2026-11-20_12-00-00',
      kind: 'manual',
      verifiedAt: '2026-11-20T12:00:01.000Z',
    };
    this.backupsKept.push(backup);
    return backup;
  }

  async verifyBackup(environment: string, id: string | null) {
    const backup = await this.#backup('verifyBackup', environment, id);
    const success = !this.damaged.has(backup.id);
    const actual = success ? 'as expected' : '5 bytes';
    const check = { name: 'manifest', expected: '6 bytes', hint: null, location: 'manifest.json' };
    return { ...backup, success, checks: [{ ...check, success, actual }] };
  }

  async restoreBackup(environment: string, id: string | null, request: { by: string }) {
    const backup = await this.#backup('restoreBackup', environment, id);
    return this.#begin('restore', { id: backup.id, ...request }, environment, 'restore');
  }

  async exportBackup(environment: string, id: string | null, to: NodeJS.WritableStream) {
    const backup = await this.#backup('exportBackup', environment, id);
    if (this.damaged.has(backup.id)) throw new FailedError(`the backup ${backup.id} is damaged`);
    to.end(this.sql);
  }

  async drill(environment: string, id: string | null, by: string) {
    const backup = await this.#backup('drill', environment, id);
    await this.#change('drill', { environment, id: backup.id, by }, environment);
    return { ...backup, ...this.verification };
  }

  /** Two pages: what follows the cursor 7 is the second one. */
  async audit(environment: string, cursor?: string) {
    await this.environment(environment);
    const at = '2026-11-20T12:00:00.000Z';
    const detail = cursor === '7' ? 'the day before' : 'release day';
    const entries = [{ at, actor: 'cli:alice', action: 'lock', environment, deployment: null, detail }];
    return { entries, next: cursor === '7' ? null : '7' };
  }

  async readiness() {
    return this.ready;
  }

  async problems() {
    return this.problemList;
  }

  async #backup(verb: string, environment: string, id: string | null): Promise<Backup> {
    await this.environment(environment);
    this.asked.push({ verb, with: { environment, id } });
    const found = id === null ? this.backupsKept.at(-1) : this.backupsKept.find((kept) => kept.id === id);
    if (!found) throw new UsageError(`there is no backup ${id ?? ''} of ${environment}`);
    return found;
  }

  #find(id: string): Deployment {
    const found = this.deploymentsById.get(id);
    if (!found) throw new UsageError(`there is no deployment ${id}; see npx deployer history ENV`);
    return found;
  }

  async #change(verb: string, request: unknown, environment: string): Promise<EnvironmentStatus> {
    this.asked.push({ verb, with: request });
    const failure = this.failure;
    this.failure = null;
    if (failure) throw failure;
    return this.environment(environment);
  }

  async #begin(verb: string, request: unknown, environment: string, kind: Kind): Promise<Deployment> {
    await this.#change(verb, request, environment);
    return this.addDeployment({ id: `d${this.deploymentsById.size + 1}`, kind, environment });
  }

  /** At once and after each change: whether the deployment is over. */
  async *#each(id: string, signal: AbortSignal): AsyncIterable<boolean> {
    const changes = on(this.#changes, 'change', { signal });
    this.listeners += 1;
    try {
      yield this.#find(id).outcome !== null;
      for await (const [changed] of changes) {
        if (changed === id) yield this.#find(id).outcome !== null;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.listeners -= 1;
      await changes.return?.();
    }
  }
}

export function emptyDeployment(id: string): Deployment {
  return {
    id,
    kind: 'deploy',
    environment: 'dev',
    branch: 'dev',
    commit: '1f2e3d4c5b6a79880f1e2d3c4b5a69788f0e1d2c',
    tree: 'aa11bb22cc33dd44ee55ff66aa77bb88cc99dd00',
    outcome: null,
    cause: null,
    requestedBy: 'push',
    requestedAt: '2026-11-20T12:00:00.000Z',
    liveAt: null,
    finishedAt: null,
    tag: null,
    stages: STAGES.map((name) => ({ name, state: 'waiting', durationMs: null, cause: null })),
    suites: [],
  };
}

function emptyEnvironment(name: string): EnvironmentStatus {
  return { name, live: null, running: null, waiting: null, last: null, lock: null, quarantined: [] };
}
