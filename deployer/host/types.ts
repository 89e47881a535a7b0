/** The edge to the machine. Two implementations of each: `process` and `embedded` here, systemd and Caddy on a host. */

/**
 * What a program of a release may see of the deployer's home besides releases and dependencies, where programs are confined
 * (systemd). A plain process sees everything. Absolute paths; one that is not there is made (writes) or left out (reads).
 */
interface Access {
  reads?: readonly string[];
  writes?: readonly string[];
}

/** A command of a release, run to its end: unprivileged, without the deployer's environment, in its own process group. */
export interface CommandSpec extends Access {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Milliseconds; then INT → TERM → KILL of the whole group. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Each line of stderr as it comes (and of stdout when `stdout` is 'log'). */
  log: (line: string) => void;
  /** 'collect': returned, at most 16 MB; 'log': passed to `log`. */
  stdout: 'collect' | 'log';
  /** Gives way to what visitors wait for, where processes are plain ones; on a host the unit says so. */
  background?: boolean;
  /** For `commands.install` only. */
  network?: boolean;
  /** A directory whose content is to be the deployer's own afterwards, whoever made it. */
  makes?: string;
}

export interface CommandResult {
  exitCode: number | null;
  timedOut: boolean;
  stdout: string;
  /** The last lines of stderr (of both when stdout is logged), at most 4 KB. */
  tail: string;
}

export type RunCommand = (spec: CommandSpec) => Promise<CommandResult>;

/** A program of the machine's own, git or systemctl, that is given all that it reads and is waited for. */
export interface Execution {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  /** stdin; empty by default. */
  input?: string | Buffer | undefined;
  /** Given on file descriptor 3: neither argv nor environment shows it. */
  secret?: string | undefined;
  timeoutMs: number;
}

export interface Executed {
  /** null: it could not be started, or was stopped. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
  /** Why it could not be started. */
  error: { message: string; code: string | undefined } | null;
}

/** A process as the kernel knows it: a pid alone may have been given to another process since. */
export interface ProcessHandle {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTime: string;
}

/** A process of the deployer's own that is to outlive it. */
export interface ProcessSpec {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Unix socket that it will serve on (also in env.LISTEN); a stale one is removed before the start. */
  socket: string;
  /** stdout and stderr are appended here, so that it outlives the daemon. */
  logFile: string;
  /** As of a command. */
  background?: boolean;
}

/** Starts processes that outlive the daemon and are found again by their handle. */
export interface ServiceManager<Spec = ProcessSpec, Handle = ProcessHandle> {
  start(spec: Spec): Promise<Handle>;
  alive(handle: Handle): boolean;
  /** SIGTERM, then SIGKILL of the group after `graceMs`. Resolves when it is gone; harmless when it already is. */
  stop(handle: Handle, graceMs: number): Promise<void>;
  /** Resolves when the process is gone or the signal aborts. */
  exited(handle: Handle, signal: AbortSignal): Promise<void>;
}

/** One start of a systemd unit, which may have run more than once since. */
export interface UnitHandle {
  unit: string;
  /** Our own name of the start. */
  start: string;
  /** systemd's id of the run: INVOCATION_ID in systemd.exec(5). */
  invocation: string;
}

export type InstanceHandle = ProcessHandle | UnitHandle;

/** A release's own process; `socket` and `logFile` as its manager keeps them. */
export interface InstanceSpec extends ProcessSpec, Access {
  environment: string;
  /** The base name of its socket, without `.sock`. */
  slot: string;
}

/** Instances, as plain processes or as systemd's units. */
export interface InstanceManager extends ServiceManager<InstanceSpec, InstanceHandle> {
  /** The end of what it has written since its start. */
  said(spec: InstanceSpec, handle: InstanceHandle): Promise<string>;
  /** Ends what was started there and is known to nobody: the deployer was killed before it had noted it. */
  endUnnoted(where: Pick<InstanceSpec, 'environment' | 'slot' | 'socket'>): Promise<void>;
  /** What runs in its place now: itself, or what the machine brought up again after a crash or a boot; null: nothing. */
  present(handle: InstanceHandle): InstanceHandle | null;
  /**
   * As what the machine is to bring it up again by itself, where it can: `live` after a boot too, in place of the
   * environment's other one; `read-only` after a crash. Harmless when there is no such instance.
   */
  keep(instance: { environment: string; slot: string }, as: 'live' | 'read-only'): Promise<void>;
}

/** A hold on an environment's writes. It has a lease: when the deployer goes silent, the sluice lets go to the live side. */
export interface Hold {
  /** Resolves when no write is in flight at the instance any more, false when the deadline passed first. */
  drained(deadlineMs: number): Promise<boolean>;
  /** Whether the hold is still in force, and renews its lease. */
  renew(): Promise<boolean>;
  /**
   * Makes the live side read-only, so that its jobs write no more; the sluice does it and, should the hold end without a
   * switch, takes it back before any write goes on, whether the deployer lives or not.
   */
  quiet(): Promise<void>;
  /** One step in the sluice: still held → both links to `socket`, let go. False when the hold has lapsed: nothing was done. */
  switchTo(socket: string): Promise<boolean>;
  /** Lets the writes go to the side that is live. Harmless when the hold has lapsed. */
  release(): Promise<void>;
}

export interface FrontDoor {
  /** Starts the front door's process when it is not there; finds the one of an earlier daemon again. */
  ensure(environment: string, listen: string): Promise<void>;
  /** What the links point to: base names of sockets, null when absent. */
  links(environment: string): Promise<{ live: string | null; write: string | null }>;
  /** Re-points both links by rename, live first. `socket` is a base name in the environment's run directory. */
  point(environment: string, socket: string): Promise<void>;
  /** Re-points writes to the sluice. `limitMs`: a write that waits longer is answered 503 with Retry-After. */
  hold(environment: string, options: { leaseMs: number; limitMs: number }): Promise<Hold>;
  /** Requests and answers with status ≥ 500 since the front door's start; for settle. */
  counters(environment: string): Promise<{ requests: number; errors: number; writesInFlight: number }>;
  /** Resolves when no write is in flight at an instance that is not live any more, false when the deadline passed first. */
  drained(environment: string, socket: string, deadlineMs: number): Promise<boolean>;
  /** Lets go of any hold that an earlier daemon left. */
  letGo(environment: string): Promise<void>;
  stop(environment: string): Promise<void>;
}

/** Where an environment's sockets live; short enough for the 107 bytes of a Unix socket's path. */
export interface RunDirectory {
  /** The directory of an environment's sockets and links; created with mode 0700. */
  of(environment: string): string;
}
