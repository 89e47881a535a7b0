import type { Logger } from 'pino';
import type { Environment } from '../../environments/schema.ts';
import type { Backup } from '../operations.ts';
import { oneLine } from '../problem.ts';
import { GaveWay, type Background } from './background.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A drill is made weekly; after one that failed, daily. */
const DRILL_EVERY = 7 * DAY;
const DRILL_AGAIN = DAY;

/** A time that is further ahead is of a clock that was wrong, then or now, and says nothing. */
const SKEW = MINUTE;

const LOOK_EVERY = MINUTE;
const LONGEST_PAUSE = HOUR;

const FAILED = {
  database: 'the database backup failed',
  full: 'the full backup failed',
  drill: 'the drill failed',
  backups: 'its backups cannot be looked at',
} as const;

export type Job = 'database' | 'full' | 'drill';

/** What lies on disk of an environment: all that says what is due, so that a restart neither forgets nor repeats. */
export interface Standing {
  schedule: Environment['backups']['schedule'];
  hasDatabase: boolean;
  /** Newest first. */
  backups: readonly Pick<Backup, 'kind' | 'verifiedAt'>[];
  /** The last drill in the audit trail. */
  drill: { at: string; success: boolean } | null;
  /** When the environment began: the first drill is due a week later. */
  since: string;
}

/** What is due now, the most valuable first; null: nothing. A full backup also holds the database. */
export function due(standing: Standing, now: Date): Job | null {
  const { schedule, hasDatabase, backups, drill, since } = standing;
  const isPast = (at: string) => Date.parse(at) <= now.getTime() + SKEW;
  const passed = (at: string | undefined, every: number) =>
    at === undefined || !isPast(at) || now.getTime() - Date.parse(at) >= every;
  const last = (kinds: readonly Backup['kind'][]) =>
    backups.find(({ kind, verifiedAt }) => kinds.includes(kind) && isPast(verifiedAt))?.verifiedAt;
  if (schedule.full !== undefined && passed(last(['full']), schedule.full)) return 'full';
  if (!hasDatabase) return null;
  if (schedule.database !== undefined && passed(last(['database', 'full']), schedule.database))
    return 'database';
  if (backups.length === 0) return null;
  return passed(drill?.at ?? since, drill?.success === false ? DRILL_AGAIN : DRILL_EVERY) ? 'drill' : null;
}

export type Schedule = ReturnType<typeof createSchedule>;

/** Makes backups and drills when they are due, while no deployment runs in their environment. */
export function createSchedule(options: {
  environments: () => Promise<string[]>;
  /** null: nothing is live there. */
  standingOf: (environment: string) => Promise<Standing | null>;
  perform: (environment: string, job: Job, signal: AbortSignal) => Promise<object>;
  /** Whether a deployment runs in the environment. */
  busy: (environment: string) => boolean;
  background: Pick<Background, 'run' | 'stop'>;
  clock: () => Date;
  /** Calls back again and again until the returned function is called. */
  timer?: (callback: () => void, everyMs: number) => () => void;
  logger: Logger;
}) {
  const { environments, standingOf, perform, busy, background, clock, timer = repeat, logger } = options;
  const failures = new Map<string, { count: number; until: number; problem: string }>();
  let looking: Promise<void> | null = null;
  let stopTimer = () => {};
  let stopped = false;

  async function attend(environment: string): Promise<void> {
    for (;;) {
      const standing = await standingOf(environment);
      failures.delete(`${environment} backups`);
      const job = standing && due(standing, clock());
      if (!job || rests(environment, job)) return;
      // No await between the look and the begin: a deployment that starts later makes it give way.
      if (stopped || busy(environment)) return;
      try {
        if (!(await background.run(environment, (signal) => perform(environment, job, signal)))) return;
        failures.delete(`${environment} ${job}`);
      } catch (error) {
        if (!(error instanceof GaveWay)) fail(environment, job, error);
        return;
      }
    }
  }

  /** Never longer than the longest pause, though the clock was set back. */
  function rests(environment: string, job: Job): boolean {
    const left = (failures.get(`${environment} ${job}`)?.until ?? 0) - clock().getTime();
    return left > 0 && left <= LONGEST_PAUSE;
  }

  function fail(environment: string, what: Job | 'backups', error: unknown): void {
    const key = `${environment} ${what}`;
    const count = (failures.get(key)?.count ?? 0) + 1;
    const until = clock().getTime() + Math.min(MINUTE * 2 ** (count - 1), LONGEST_PAUSE);
    failures.set(key, { count, until, problem: `${environment}: ${FAILED[what]}: ${oneLine(error)}` });
    logger.error({ environment, what, error: oneLine(error) }, 'scheduled work failed');
  }

  async function lookAtAll(): Promise<void> {
    const names = await environments();
    for (const key of failures.keys()) if (!names.includes(key.split(' ')[0] ?? '')) failures.delete(key);
    for (const environment of names)
      await attend(environment).catch((error: unknown) => fail(environment, 'backups', error));
  }

  /** Does what is due; a call during a look joins it. */
  function look(): Promise<void> {
    return (looking ??= lookAtAll()
      .catch((error: unknown) => logger.error({ err: error }, 'the schedule failed'))
      .finally(() => (looking = null)));
  }

  return {
    look,
    problems: () => [...failures.values()].map(({ problem }) => problem),
    start(): void {
      stopTimer = timer(() => void look(), LOOK_EVERY);
      void look();
    },
    /** Begins nothing more and ends what runs. */
    async stop(): Promise<void> {
      stopped = true;
      stopTimer();
      await background.stop();
      await looking;
    },
  };
}

function repeat(callback: () => void, everyMs: number): () => void {
  const timer = setInterval(callback, everyMs);
  return () => clearInterval(timer);
}
