/** The vocabulary of a deployment, as contract section 6 writes it. All times are ISO 8601 in UTC. */

export type Kind = 'deploy' | 'rollback' | 'restore' | 'rehearsal';

/** How a deployment ended. `ok` and `failed` end everything that is not a deploy. */
export type Outcome =
  'deployed' | 'ok' | 'rejected' | 'rolled_back' | 'failed' | 'refused' | 'superseded' | 'needs_attention';

export const STAGES = [
  'preflight',
  'fetch',
  'release',
  'rehearse',
  'backup',
  'hold',
  'migrate',
  'boot',
  'verify',
  'switch',
  'settle',
  'finish',
] as const;
export type StageName = (typeof STAGES)[number];

/** What a rehearsal goes through: nothing live is touched. */
export const REHEARSAL: readonly StageName[] = ['preflight', 'fetch', 'release', 'rehearse'];

export const stagesOf = (kind: Kind): readonly StageName[] => (kind === 'rehearsal' ? REHEARSAL : STAGES);

type StageState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** A stage; `cause` says why it failed or was skipped. */
export interface Stage {
  name: StageName;
  state: StageState;
  durationMs: number | null;
  cause: string | null;
}

/** One check of a suite; see contract section 5. */
export interface Check {
  name: string;
  success: boolean;
  expected: string;
  actual: string;
  hint: string | null;
  location: string | null;
}

export interface Suite {
  name: string;
  success: boolean;
  durationMs: number;
  checks: Check[];
}

/** A deployment without its stages and suites: a row of `history`. */
export interface DeploymentSummary {
  id: string;
  kind: Kind;
  environment: string;
  branch: string;
  commit: string;
  tree: string | null;
  outcome: Outcome | null;
  cause: string | null;
  requestedBy: string;
  requestedAt: string;
  liveAt: string | null;
  finishedAt: string | null;
  tag: string | null;
}

export interface Deployment extends DeploymentSummary {
  stages: Stage[];
  suites: Suite[];
  /** When it failed: the last lines of its instance, without what looks like a secret. */
  logTail?: string[] | undefined;
  /** When it failed: shell lines that do the same in a clone. */
  reproduce?: string[] | undefined;
}

export interface Lock {
  reason: string;
  holder: string;
  since: string;
}

/** What `status ENV` says of one environment. */
export interface EnvironmentStatus {
  name: string;
  live: Deployment | null;
  running: Deployment | null;
  waiting: Deployment | null;
  last: Deployment | null;
  lock: Lock | null;
  quarantined: string[];
}
