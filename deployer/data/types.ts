/** Row count and order-independent digest of each table; tables exempt by name are left out. */
export type Fingerprint = Readonly<Record<string, { rows: number; digest: string }>>;

/** Row count of each table; tables exempt by name are left out. */
export type RowCounts = Readonly<Record<string, number>>;

/** A difference between two states of a database, in words an operator can act on. */
export interface Difference {
  table: string;
  kind: 'rows' | 'table' | 'index' | 'view' | 'trigger' | 'sequence' | 'file';
  sentence: string;
}

/**
 * A generation: one complete database of an environment in a directory of its own
 * (`$DEPLOYER_HOME/data/<env>/<generation>/`). Migrations always make the next generation from a copy.
 */
export interface Generation {
  id: string;
  /** DATABASE_FILE or DATABASE_URL, as the release sees it. */
  env: Readonly<Record<string, string>>;
}

export interface UnaskedQuestion {
  deployment: string;
  /** ISO 8601; counts where `after` is null. */
  since: string;
  /** The last entry of the audit log before: a clock that is set back hides nothing after it. */
  after: number | null;
  /** The last entry of the audit log that was looked at; 0: none. */
  seen: number;
}

export interface Unasked {
  /** In words; null: there are none. */
  found: string | null;
  seen: number;
}

/** The write lock of a generation: while it is held nobody writes to it; it goes with the daemon's process. */
export interface WriteLock {
  /** Whether the database is as it was when the lock was taken. */
  unchanged(): boolean;
  release(): void;
}

/** Sees whether a database that nobody should write to was written to. */
export interface Watch {
  /**
   * What differs from when the watch began, exempt tables left out. `except`: tables that may differ; `where`: in a later
   * copy, not in the generation itself. Looks that find something new are few: see the implementation.
   */
  changed(except?: ReadonlySet<string>, where?: Generation): Promise<Difference[]>;
  end(): Promise<void>;
}

/** The tables that took a row. */
export interface Marks {
  /** A double of a row of theirs. */
  doubled: string[];
  /** One that is made up. */
  made: string[];
}

/** A copy of which most is made. */
export interface BegunCopy {
  /** Adds what was written since, and makes it a generation. The write lock of what it is a copy of has to be held. */
  complete(): Promise<Generation>;
  /** Gives up one that is not complete. */
  drop(): Promise<void>;
}

/** The generations of one environment's database. One implementation per database client. */
export interface Generations {
  /** A new, empty one. */
  create(): Promise<Generation>;
  open(id: string): Generation;
  /** A consistent copy of a live one, as a new generation. */
  copy(from: Generation): Promise<Generation>;
  /** The same, to try something on: it need not outlive a power cut, and does not wait for the disk. */
  draft(from: Generation): Promise<Generation>;
  /** Begins a copy of a live one, so that little is left to be done under a hold: what was written meanwhile. */
  beginCopy(from: Generation): Promise<BegunCopy>;
  /** Whether that is so; otherwise all of the copy is made at its end. */
  copiesAhead(from: Generation): Promise<boolean>;
  /** A new one from what `fill` writes to the database file it is given (restored from a backup). */
  fill(fill: (databaseFile: string) => Promise<void>): Promise<Generation>;
  remove(generation: Generation): Promise<void>;
  /** Ids on disk. */
  list(): Promise<string[]>;
  /** Points `current` to it, by rename. */
  setCurrent(generation: Generation): Promise<void>;
  /** Waits up to `timeoutMs` for the write lock. @throws FailedError when somebody else keeps it */
  lock(generation: Generation, timeoutMs: number): Promise<WriteLock>;
  fingerprint(generation: Generation): Promise<Fingerprint>;
  rows(generation: Generation): Promise<RowCounts>;
  /** The schema as text, normalised, to compare before and after. */
  schema(generation: Generation): Promise<string>;
  /** Tables, rows and, where the database keeps an audit log, who wrote them; empty when equal. `except`: tables that may differ. */
  compare(before: Generation, after: Generation, except: ReadonlySet<string>): Promise<Difference[]>;
  /** `integrity_check` and foreign keys; the first problem, or null. */
  sound(generation: Generation): Promise<string | null>;
  /**
   * Writes the rows in which `now` differs from `earlier` to a new file as JSON Lines (what a restore would drop):
   * `{"table", "key", "action": "insert" | "update" | "delete", "row"}`, `row` as it is in `now`, or in `earlier`
   * when it was deleted since. Returns how many they are.
   */
  changes(now: Generation, earlier: Generation, file: string): Promise<number>;
  /** The last entry of the audit log; 0: none yet, null: there is no such log, or its entries are not numbered. */
  lastAudited(generation: Generation): Promise<number | null>;
  /**
   * Writes of a deployment that no request caused, where the database keeps an audit log, among the entries after `seen`.
   * Those that name no deployment count from then on that is asked for.
   */
  unasked(generation: Generation, asked: UnaskedQuestion): Promise<Unasked>;
  /** Begins to watch; costs nothing until something is written. */
  watch(generation: Generation): Promise<Watch>;
  /** Writes a row to each of the tables, as a visitor might write after a migration; for rehearsals only. */
  mark(generation: Generation, tables: readonly string[]): Promise<Marks>;
  /** Bytes on disk. */
  size(generation: Generation): Promise<number>;
  /** Removes what an interrupted copy left, and every generation but the current one and those to keep. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}
