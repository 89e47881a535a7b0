import type { Logger } from 'pino';
import type { Environment } from '../../environments/schema.ts';
import type { BegunCopy, Difference, Generation, Generations, Watch, WriteLock } from '../data/types.ts';
import type { Forge } from '../forge/types.ts';
import type {
  FrontDoor,
  Hold,
  InstanceHandle,
  InstanceManager,
  RunCommand,
  RunDirectory,
} from '../host/types.ts';
import type { Redaction } from '../redaction.ts';
import type { Commit, Mirror, Release, Releases } from '../release/types.ts';
import type { Backup, MigrateReport } from '../operations.ts';
import type { ErrorRates } from './error-rate.ts';
import type { Journal } from './journal.ts';
import type { Suite } from './model.ts';
import type { OwnSecrets } from './own-secrets.ts';
import type { DeploymentRecord } from './record.ts';

/** The slots of an environment; one is live. */
const SLOTS = ['blue', 'green'] as const;
export type Slot = (typeof SLOTS)[number];

/** Not where a rehearsal or a drill has an instance of its own. */
export const isSlot = (name: string): name is Slot => SLOTS.some((slot) => slot === name);

/** What the stages work with: the edges of the house, each behind its interface. */
export interface Tools {
  home: string;
  journal: Journal;
  mirror: Mirror;
  releases: Releases;
  forge: Forge;
  services: InstanceManager;
  frontDoor: FrontDoor;
  runDirectory: RunDirectory;
  runCommand: RunCommand;
  splitCommand: (command: string) => string[];
  /** null when the environment has no database. */
  generations: (environment: Environment) => Generations | null;
  instances: InstanceRegistry;
  /** The environment's own secrets, as the host has them now. @throws FailedError */
  secretsOf: (environment: string) => OwnSecrets;
  redaction: Pick<Redaction, 'hide' | 'redact'>;
  policy: Policy;
  errorRates: ErrorRates;
  backups: BackupTools;
  /** Removes generations, releases and backups of an environment that nothing needs any more. Never throws. */
  prune: (config: Environment) => Promise<void>;
  clock: () => Date;
  /** By which things grow old and are removed. */
  ageClock: () => Date;
  logger: Logger;
}

export interface BackupTools {
  /** Takes a verified backup of what is live and returns its id. */
  create(request: {
    live: Live;
    kind: Backup['kind'];
    withFiles: boolean;
    signal: AbortSignal;
  }): Promise<string>;
  /** Removes one that a deployment took in vain. */
  remove(environment: string, backup: string): Promise<void>;
  /** Ends scheduled work on the environment: it must not meet a hold. */
  giveWay(environment: string): Promise<void>;
  /**
   * Verifies a backup.
   * @throws FailedError that says what is damaged
   */
  prepare(environment: string, backup: string, signal: AbortSignal): Promise<PreparedBackup>;
  /**
   * Puts back those of a backup's files that are missing: among the live ones, so that the deployment can take that back,
   * or in a directory that is to be thrown away.
   */
  addFiles(request: {
    environment: string;
    backup: string;
    to: { deployment: string } | { directory: string };
    signal: AbortSignal;
  }): Promise<{ added: number; kept: number }>;
  /** Removes what a deployment has put back. Harmless when that is nothing. */
  removeAdded(environment: string, deployment: string): Promise<void>;
  /** A new generation from a backup, or a copy of an earlier generation where that is named. */
  restore(request: {
    config: Environment;
    backup: string;
    generation: string | null;
    signal: AbortSignal;
  }): Promise<Generation>;
  /** Saves as JSON Lines in the backups' directory what changes when `instead` takes the place of `now`. Returns how many rows. */
  saveDropped(request: {
    config: Environment;
    now: Generation;
    instead: Generation;
    file: string;
  }): Promise<number>;
  /** Removes what a deployment has saved when nothing was dropped after all. */
  removeDropped(environment: string, deployment: string): Promise<void>;
}

interface PreparedBackup {
  /** The newest migration that is applied in it. */
  schemaVersion: string | null;
  hasFiles: boolean;
}

/** Remembers which processes are instances, so that a later daemon finds them again. */
export interface InstanceRegistry {
  put(instance: Instance): Promise<void>;
  drop(environment: string, slot: string): Promise<void>;
  get(environment: string, slot: string): Promise<Instance | null>;
  all(): Promise<Instance[]>;
}

/** What says no: locks, quarantine and the promotion gate. Each answers null, or why not. */
export interface Policy {
  locked(environment: string): Promise<string | null>;
  quarantined(environment: string, commit: string): Promise<string | null>;
  /** Which other environment's live release has this address. */
  addressOf(listen: string, except: string): Promise<string | null>;
  /** The gate asks for the tree of a commit: has `requires` verified it? */
  gate(requires: string, tree: string): Promise<Gate>;
}

export type Gate = { state: 'open' } | { state: 'pending' } | { state: 'closed'; reason: string };

/** A process that serves one release; `slot` is the base name of its socket without `.sock`. */
export interface Instance {
  environment: string;
  slot: string;
  deployment: string;
  process: InstanceHandle;
  /** Digest of the environment's own secrets that it was started with; null: none. */
  given: string | null;
}

/** What was live when a deployment began. */
export interface Live {
  record: DeploymentRecord;
  config: Environment;
  slot: Slot;
  generation: Generation | null;
}

/** How the next database comes about. */
export type DataPlan =
  /** No database, or the live generation as it is: nothing is held. */
  | { kind: 'same' }
  /** A generation of its own, made from nothing: the first deployment. */
  | { kind: 'create' }
  /** The next generation, from a copy of the live one under a hold. */
  | { kind: 'next'; down: string | null }
  /** The next generation, from a backup, `files`: of which missing ones are put back; to undo a restore, from the generation that it took the place of. */
  | { kind: 'restore'; backup: string; generation: string | null; files: boolean };

type Output = () => Promise<string>;

/** A copy of what is live. */
export interface AheadCopy {
  generation: Generation;
  /** How long one under a hold takes: nothing to speak of where most of it is made before. */
  heldMs: number;
}

/** An environment's files for a release that is only tried: what it does to them must not be seen. */
export interface TrialFiles {
  directory: string;
  /** Which of them the release has removed or changed. */
  damaged(): Promise<Difference[]>;
  remove(): Promise<void>;
}

/** What needs no release, and is made beside its build: later stages wait for it, `undo` drops what none has taken. */
interface Ahead {
  /** A copy of what is live, for the rehearsal. */
  copy: Promise<AheadCopy> | null;
  /** The backup before the deployment. */
  backup: Promise<string> | null;
  abort: AbortController;
}

/** A deployment while it is worked on: what the stages hand to each other. */
export interface Work {
  readonly tools: Tools;
  readonly record: DeploymentRecord;
  readonly live: Live | null;
  /** For a rollback: the deployment whose release becomes live again. */
  readonly rollbackTarget: DeploymentRecord | null;
  /** Aborted when a newer commit takes its place or the daemon stops; during a hold also when that is lost. */
  signal: AbortSignal;
  /** Aborted when somebody waits for this deployment to be over: cuts `settle` short. */
  readonly hurry: AbortSignal;
  readonly log: (line: string) => void;
  /** Set by `fetch`. */
  target: Commit;
  config: Environment;
  /** Set by `release`. */
  release: Release | null;
  /** Set by `rehearse`. */
  plan: DataPlan;
  rehearsed: boolean;
  /** Migrations applied in the new generation, oldest first. */
  applied: string[];
  ran: MigrateReport['ran'];
  proven: boolean;
  /** Set before the hold: the copy that `migrate` takes, or `undo` gives up. */
  nextCopy: BegunCopy | null;
  /** Set by `hold`, let go by `switch` or `undo`. */
  hold: Hold | null;
  writeLock: WriteLock | null;
  /** Set by `migrate`: the generation that the new instance works on. */
  generation: Generation | null;
  /** Whether this deployment made `generation` and so removes it when it fails. */
  ownsGeneration: boolean;
  /** Set by `boot`: sees whether anything changes the next generation before the switch. */
  watch: Watch | null;
  /** Set by `boot`. */
  candidate: Instance | null;
  /** The candidate that boots while the rehearsal still verifies, and its own quick verification. */
  early: { instance: Promise<Instance>; suites: Promise<Suite[]> } | null;
  /** Set by `preflight`: what is wrong with the live database, or null; whoever first relies on it waits. */
  sound: Promise<string | null>;
  /** Set by `rehearse`: the files that the release is tried on; null: the live ones. */
  files: TrialFiles | null;
  /** Set by `fetch`: what is made while the release is built. */
  ahead: Ahead | null;
  /** What a rehearsal leaves to be cleared away; nobody but the end waits for it. Never rejects. */
  clearing: Promise<void>;
  /** Resolves when the instance that the last deployment replaced rests: until then its slot is not free. */
  readonly slotIsFree: Promise<void>;
  /** Set by `switch`: the last entry of the audit log before; null: not known. */
  lastAudited: number | null;
  /** Of `performance.now()`, when this process made it live; null: it has not, or another one did. */
  liveSince: number | null;
  /**
   * Set at the end, or at the switch for one that cannot be made to rest: the instance that was live before ends its work.
   * Never rejects.
   */
  retiring: Promise<void> | null;
  /** The candidate is an earlier instance that is still there, not a new one. */
  warm: boolean;
  suites: Suite[];
  backup: string | null;
  /** Tell what the instances of the rehearsal and of the slot have written last, for the report of a failure. */
  outputs: { rehearsal: Output | null; candidate: Output | null };
}

/** The hold was lost, or a warm instance ended, before the switch: nothing was switched, and the cutover may be tried again. */
export class Disturbed extends Error {
  override name = 'Disturbed';
}

/** The socket's base name of a slot. */
export const socketOf = (slot: string) => `${slot}.sock`;

/** The slot that is not live. */
export function idleSlot(live: Live | null): Slot {
  return live?.slot === 'blue' ? 'green' : 'blue';
}
