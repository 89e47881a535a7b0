import type { Environment } from '../../environments/schema.ts';
import type { Phase } from './lifecycle.ts';
import type { DeploymentSummary, Stage, Suite } from './model.ts';
import type { RanMigration } from './row-changes.ts';

/** What was asked for, beyond the commit. */
export interface Request {
  override?: boolean | undefined;
  reason?: string | undefined;
  /** For a rollback: the deployment whose release becomes live again. */
  target?: string | undefined;
  /** For a rollback: the commit that is taken back. */
  from?: string | undefined;
  restoreBackup?: boolean | undefined;
  /** For a restore: the backup. */
  backup?: string | undefined;
  /** For a rollback that undoes a restore. */
  undoes?: Undo | undefined;
  /** For the rehearsal of a pull request: what is to be merged into which branch. */
  pull?: { number: number; head: string; base: string } | undefined;
}

/** What it takes to undo a restore. */
export interface Undo {
  /** The restore's deployment. */
  restore: string;
  /** The generation that was live before it. */
  generation: string;
  /** The backup that was restored. */
  backup: string;
  /** The backup that was taken before the restore. */
  before: string | null;
}

/** A pull request that was merged, as the commits tell it. */
export interface MergedPull {
  number: number;
  title: string;
}

/** A deployment as the journal keeps it. */
export interface DeploymentRecord extends DeploymentSummary {
  seq: number;
  phase: Phase;
  /** Asked for by the reconciler, not by a person. */
  automatic: boolean;
  /** How often it was begun; more than once only when the daemon died meanwhile. */
  attempts: number;
  request: Request;
  config: Environment | null;
  slot: string | null;
  generation: string | null;
  /** The deployment that was live before it, one step down the stack that rollbacks climb. */
  previous: string | null;
  /** The deployment that it took the place of. */
  replaced: string | null;
  /** Migrations applied in its generation when it went live, oldest first. */
  applied: string[] | null;
  /** The rehearsal proved that the release before it runs on its schema. */
  proven: boolean;
  /** The backup taken before it. */
  backup: string | null;
  /** The migrations that its rehearsal ran. */
  ran: RanMigration[];
  /** When it failed: the last lines of its instance, without secrets. */
  logTail: string[];
  /** When it is tagged: the pull requests since the tag before. */
  pulls: MergedPull[];
}

/** The columns that change while a deployment runs. */
export type Patch = Partial<
  Pick<
    DeploymentRecord,
    | 'tree'
    | 'config'
    | 'slot'
    | 'generation'
    | 'previous'
    | 'replaced'
    | 'applied'
    | 'proven'
    | 'backup'
    | 'ran'
    | 'logTail'
    | 'pulls'
    | 'cause'
    | 'tag'
    | 'liveAt'
    | 'commit'
  >
>;

/** A row of `deployments`. */
export interface DeploymentRow {
  seq: number;
  id: string;
  kind: DeploymentSummary['kind'];
  environment: string;
  branch: string;
  commit: string;
  tree: string | null;
  phase: Phase;
  outcome: DeploymentSummary['outcome'];
  cause: string | null;
  requested_by: string;
  requested_at: string;
  started_at: string | null;
  live_at: string | null;
  finished_at: string | null;
  tag: string | null;
  automatic: number | boolean;
  attempts: number;
  request: string;
  config: string | null;
  slot: string | null;
  generation: string | null;
  previous: string | null;
  replaced: string | null;
  applied: string | null;
  proven: number | boolean;
  ran: string | null;
  log_tail: string | null;
  pulls: string | null;
  backup: string | null;
}

export interface StageRow {
  deployment_id: string;
  position: number;
  name: Stage['name'];
  state: Stage['state'];
  started_at: string | null;
  duration_ms: number | null;
  cause: string | null;
}

export interface SuiteRow {
  deployment_id: string;
  position: number;
  report: string;
}

export function toSummary(row: DeploymentRow): DeploymentSummary {
  return {
    id: row.id,
    kind: row.kind,
    environment: row.environment,
    branch: row.branch,
    commit: row.commit,
    tree: row.tree,
    outcome: row.outcome,
    cause: row.cause,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    liveAt: row.live_at,
    finishedAt: row.finished_at,
    tag: row.tag,
  };
}

export function toRecord(row: DeploymentRow): DeploymentRecord {
  return {
    ...toSummary(row),
    seq: row.seq,
    phase: row.phase,
    automatic: Boolean(row.automatic),
    attempts: row.attempts,
    // Our own words, written by this file's counterpart below: no need to parse them as a stranger's.
    request: JSON.parse(row.request) as Request,
    config: row.config === null ? null : (JSON.parse(row.config) as Environment),
    slot: row.slot,
    generation: row.generation,
    previous: row.previous,
    replaced: row.replaced,
    applied: row.applied === null ? null : (JSON.parse(row.applied) as string[]),
    proven: Boolean(row.proven),
    backup: row.backup,
    ran: row.ran === null ? [] : (JSON.parse(row.ran) as RanMigration[]),
    logTail: row.log_tail === null ? [] : (JSON.parse(row.log_tail) as string[]),
    pulls: row.pulls === null ? [] : (JSON.parse(row.pulls) as MergedPull[]),
  };
}

export function toStage(row: StageRow): Stage {
  return { name: row.name, state: row.state, durationMs: row.duration_ms, cause: row.cause };
}

/** A suite as it is kept, with when it ran. */
export type RanSuite = Suite & { at?: string };

export function toSuite(row: SuiteRow): RanSuite {
  return JSON.parse(row.report) as RanSuite;
}

/** A patch as columns. */
export function toColumns(patch: Patch): Partial<DeploymentRow> {
  const { liveAt, config, applied, ran, logTail, pulls, ...same } = patch;
  return {
    ...same,
    ...(liveAt === undefined ? {} : { live_at: liveAt }),
    ...(config === undefined ? {} : { config: JSON.stringify(config) }),
    ...(applied === undefined ? {} : { applied: JSON.stringify(applied) }),
    ...(ran === undefined ? {} : { ran: JSON.stringify(ran) }),
    ...(logTail === undefined ? {} : { log_tail: JSON.stringify(logTail) }),
    ...(pulls === undefined ? {} : { pulls: JSON.stringify(pulls) }),
  };
}
