import type {
  Check,
  Deployment,
  DeploymentSummary,
  EnvironmentStatus,
  Lock,
  Outcome,
  Suite,
} from './deployment/model.ts';

/** Stands for the id of the newest backup. */
export const NEWEST = 'newest';

/**
 * What people and programs can ask of the deployer: the API and the dashboard are built on this alone.
 * Every method throws `UsageError` for an unknown name (404 or 400), `RefusedError` (409) and `FailedError` (500 with the sentence).
 */
export interface Operations {
  environments(): Promise<EnvironmentStatus[]>;
  environment(name: string): Promise<EnvironmentStatus>;
  /** Newest first; `cursor` is what `next` said. `limit` 1 to 200, default 50. */
  deployments(query: DeploymentQuery): Promise<{ deployments: DeploymentSummary[]; next: string | null }>;
  deployment(id: string): Promise<Deployment>;
  /** The deployment's log so far, as text lines; with `follow` it ends when the deployment is finished or the signal aborts. */
  log(id: string, options: { follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
  /** Called after each change of the deployment (a stage began or ended, an outcome); ends with the deployment or the signal. */
  watch(id: string, signal: AbortSignal): AsyncIterable<Deployment>;
  /** Stores a deployment; it runs by itself. */
  deploy(request: DeployRequest): Promise<Deployment>;
  /** Merges FROM's branch into TO's on the forge, then deploys; refuses before the merge what the gate would refuse. */
  promote(request: PromoteRequest): Promise<Deployment>;
  rollback(request: RollbackRequest): Promise<Deployment>;
  rehearse(environment: string, by: string): Promise<Deployment>;
  /** The suites against what is live. */
  verify(environment: string, suites: string[]): Promise<{ success: boolean; suites: Suite[] }>;
  /** What is applied and what the branch's head would bring; `ran` is what that rehearsal ran on its copy. */
  migrations(environment: string, rehearsal?: string): Promise<MigrateReport>;
  lock(environment: string, reason: string, by: string): Promise<Lock>;
  unlock(environment: string, by: string): Promise<void>;
  /**
   * Ends an environment that no branch holds any more, after a backup of it all; its data and backups stay.
   * @throws RefusedError while a branch holds it, while it is locked, or while something runs in it
   */
  remove(environment: string, request: { by: string; reason: string }): Promise<Removed>;
  backups(environment: string): Promise<Backup[]>;
  /** @param how.full with the files */
  createBackup(environment: string, how: { full?: boolean; by: string }): Promise<Backup>;
  /** Whether a backup can be restored to what it was made from. `id` null: the newest, here and below. */
  verifyBackup(environment: string, id: string | null): Promise<BackupVerification>;
  /** Stores a deployment of kind `restore`: the live release on the data of the backup; what that drops is saved beside it. */
  restoreBackup(environment: string, id: string | null, request: RestoreRequest): Promise<Deployment>;
  /** Writes the backup's database as SQL text and ends the stream; nothing is written before it is known to be whole. */
  exportBackup(environment: string, id: string | null, to: NodeJS.WritableStream): Promise<void>;
  /** Restores a backup beside what is live, boots the live release on it, verifies everything, and leaves nothing. */
  drill(environment: string, id: string | null, by: string): Promise<DrillReport>;
  /** Audit trail, newest first: who changed what, when; 200 at a time, `cursor` is what `next` said. */
  audit(environment: string, cursor?: string): Promise<AuditTrail>;
  /** Ready: every environment is live and none is being recovered; otherwise why not, one line each. */
  readiness(): Promise<{ ready: boolean; reasons: string[] }>;
  /** Problems that an operator should know (broken environment files, the forge out of reach, a backlog of reports). */
  problems(): Promise<string[]>;
}

interface DeploymentQuery {
  environment?: string | undefined;
  commit?: string | undefined;
  outcome?: Outcome | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

interface Override {
  /** Passes gates and quarantine; `reason` is then required. */
  override?: boolean | undefined;
  reason?: string | undefined;
  /** Who asked, for the record: `cli:alice`, `api`, `push`. */
  by: string;
}

export interface DeployRequest extends Override {
  environment: string;
  branch?: string | undefined;
  commit?: string | undefined;
}

interface PromoteRequest extends Override {
  from: string;
  to: string;
}

export interface RollbackRequest {
  environment: string;
  target: { last: true } | { commit: string } | { version: string };
  restoreBackup?: boolean | undefined;
  reason?: string | undefined;
  by: string;
}

export interface MigrateReport {
  success: boolean;
  applied: string[];
  pending: string[];
  ran: { name: string; durationMs: number; touches: string[]; reversible: boolean }[];
  error: { migration: string | null; message: string; location: string | null } | null;
}

export interface Backup {
  /** The directory's name. */
  id: string;
  kind: 'manual' | 'before-deploy' | 'database' | 'full';
  verifiedAt: string;
}

export interface Removed {
  name: string;
  /** null: nothing was live there. */
  backup: string | null;
}

export interface BackupVerification {
  id: string;
  /** null, like `verifiedAt`, when the manifest is damaged. */
  kind: Backup['kind'] | null;
  verifiedAt: string | null;
  success: boolean;
  checks: Check[];
}

interface RestoreRequest {
  by: string;
  reason?: string | undefined;
}

export interface DrillReport extends Backup {
  success: boolean;
  suites: Suite[];
}

export interface AuditTrail {
  entries: AuditEntry[];
  next: string | null;
}

export interface AuditEntry {
  at: string;
  actor: string;
  action: string;
  environment: string | null;
  deployment: string | null;
  detail: string;
}
