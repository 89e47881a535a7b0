import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { inPortions } from '../portions.ts';
import { oneLine } from '../problem.ts';
import { givenUp } from './given-up.ts';
import { ForgeError, type Forge, type Report } from './types.ts';

/** A report that has waited so long is late: what only led to a later one of its lane is not sent any more. */
const LATE_MS = 10_000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15 * 60_000;
/** How long to wait when the state itself cannot be read or written. */
const STATE_RETRY_MS = 1000;
/** No pause is longer, and no timer. */
const LONGEST_SLEEP_MS = 3_600_000;

/** How long, and how many of those that were given up are named as problems. */
const NAMED_MS = 7 * 86_400_000;
const MOST_NAMED = 20;

interface OutboxRow {
  id: number;
  lane: string;
  report: string;
  created_at: string;
  attempts: number;
  next_at: string;
  delivered_at: string | null;
  error: string | null;
  abandoned: number | boolean;
}

/** Stores a report in the transaction of the state that it reports. */
export async function enqueue(trx: Knex, report: Report, at: string): Promise<void> {
  const text = JSON.stringify(report);
  await trx('outbox').insert({ lane: lane(report), report: text, created_at: at, next_at: at });
}

/** Reports of one lane arrive in order; different lanes do not wait for each other. */
function lane(report: Report): string {
  switch (report.type) {
    case 'status':
      return `status ${report.commit} ${report.context}`;
    case 'deployment':
      // A success makes the environment's earlier deployments inactive.
      return `deployment ${report.environment}`;
    case 'comment':
      return `comment ${'pull' in report.on ? report.on.pull : report.on.commit} ${report.key}`;
    default:
      return `${report.type} ${report.commit}`;
  }
}

/** The forge's own record of deployments: a forge takes changes one by one, and everything else matters sooner. */
const isRecord = ({ lane: name }: Pick<OutboxRow, 'lane'>) => name.startsWith('deployment ');

/** Says only what a later one of its lane says better. */
function isIntermediate(report: Report): boolean {
  if (report.type === 'status') return report.state === 'pending';
  if (report.type === 'deployment') return report.state === 'queued' || report.state === 'in_progress';
  return report.type === 'comment';
}

/**
 * Delivers what stands in the outbox: the oldest of each lane first, again with growing pauses until the forge took it.
 * A report that the forge will never take is given up, and said so.
 */
export function createOutbox(options: {
  state: Knex;
  forge: Pick<Forge, 'send'>;
  clock: () => Date;
  logger: Logger;
}) {
  const { state, forge, clock, logger } = options;
  let delivering: Promise<void> | null = null;
  let again = false;
  /** Nothing is sent before then: the forge is asked for a pause as a whole. */
  let pause: { until: number; length: number } = { until: 0, length: 0 };
  let timer: NodeJS.Timeout | undefined;
  const end = new AbortController();
  const rows = () => state<OutboxRow>('outbox');
  const undelivered = () => rows().whereNull('delivered_at').where({ abandoned: false });

  async function deliverAll(): Promise<void> {
    again = false;
    let waiting: OutboxRow[] = [];
    for (let newest = 0; !end.signal.aborted;) {
      // Each is read once, however many wait: what came meanwhile is read beside it.
      waiting = waiting.concat(await undelivered().where('id', '>', newest).orderBy('id'));
      newest = waiting.at(-1)?.id ?? newest;
      const now = clock().getTime();
      // Those behind the first of a lane wait with it.
      const first = [...Map.groupBy(waiting, ({ lane: name }) => name).values()].flatMap(
        ([row]) => row ?? [],
      );
      const due = first.filter((row) => dueAt(row, now) <= now);
      const next = due.find((row) => !isRecord(row)) ?? due[0];
      if (!next) {
        if (first.length > 0) kickIn(Math.min(...first.map((row) => dueAt(row, now))) - now);
        return;
      }
      const last = waiting.findLast(({ lane: name }) => name === next.lane);
      const isPassed = last !== next && isOvertaken(next, now);
      const left = isPassed ? await pass(next) : await deliver(next);
      waiting = waiting.flatMap((row) => (row === next ? (left ?? []) : row));
    }
  }

  /** What is due later than anything ever is was noted by a clock that has been set back since: it is due now. */
  function dueAt(row: OutboxRow, now: number): number {
    const paused = pause.until - now > pause.length ? 0 : pause.until;
    const next = row.next_at === row.created_at ? 0 : Date.parse(row.next_at);
    return Math.max(paused, next - now > LONGEST_SLEEP_MS ? 0 : next);
  }

  function isOvertaken(row: OutboxRow, now: number): boolean {
    const isLate = row.attempts > 0 || now - Date.parse(row.created_at) > LATE_MS;
    return isLate && isIntermediate(JSON.parse(row.report) as Report);
  }

  async function pass(row: OutboxRow): Promise<null> {
    const error = 'not sent: a later report says more';
    await rows().where({ id: row.id }).update({ delivered_at: clock().toISOString(), error });
    return null;
  }

  /** @returns the row as it waits on; null: it does not */
  async function deliver(row: OutboxRow): Promise<OutboxRow | null> {
    try {
      await forge.send(JSON.parse(row.report) as Report);
    } catch (error) {
      // What was interrupted by the end was not refused.
      if (end.signal.aborted) return row;
      return await failed(row, error);
    }
    await rows().where({ id: row.id }).update({ delivered_at: clock().toISOString(), error: null });
    return null;
  }

  async function failed(row: OutboxRow, error: unknown): Promise<OutboxRow | null> {
    const known = error instanceof ForgeError ? error : null;
    const terminal = known !== null && !known.retryable;
    const backoff = Math.min(FIRST_RETRY_MS * 2 ** row.attempts, LONGEST_RETRY_MS);
    const length = Math.min(known?.retryAfterMs ?? backoff, LONGEST_SLEEP_MS);
    const next = clock().getTime() + length;
    if (known?.pausesAll) await pauseAll({ until: next, length });
    logger.warn(
      { report: row.id, lane: row.lane, error: oneLine(error) },
      terminal ? 'report given up' : 'report will be sent again',
    );
    const at = new Date(next).toISOString();
    const now = { attempts: row.attempts + 1, next_at: at, error: oneLine(error), abandoned: terminal };
    await rows().where({ id: row.id }).update(now);
    return terminal ? null : { ...row, ...now };
  }

  /** A daemon that is started meanwhile keeps to it, too. */
  async function pauseAll(asked: typeof pause): Promise<void> {
    pause = asked;
    const at = new Date(asked.until).toISOString();
    await undelivered().where('next_at', '<', at).update({ next_at: at });
  }

  function kickIn(milliseconds: number): void {
    if (end.signal.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(kick, Math.min(Math.max(milliseconds, 10), LONGEST_SLEEP_MS));
    timer.unref();
  }

  function kick(): void {
    if (end.signal.aborted) return;
    again = true;
    delivering ??= deliverAll()
      .catch((error: unknown) => {
        logger.error({ error: oneLine(error) }, 'the outbox could not be read or written');
        kickIn(STATE_RETRY_MS);
      })
      .finally(() => {
        delivering = null;
        if (again) kick();
      });
  }

  return {
    /** Look now; returns at once. */
    kick,
    /** Resolves when nothing is being sent. */
    async settled(): Promise<void> {
      for (let current = delivering; current; current = delivering) await current;
    },
    /** Forgets reports that were delivered or given up before then. */
    async forget(before: Date): Promise<void> {
      await inPortions(state, 'outbox', (old) =>
        old
          .where('created_at', '<', before.toISOString())
          .where((done) => void done.whereNotNull('delivered_at').orWhere({ abandoned: true })),
      );
    },
    async stop(): Promise<void> {
      end.abort();
      clearTimeout(timer);
      await delivering;
    },
    /** Those of the last days that the forge will never take, and nothing later of their lane has made up for; newest first. */
    async givenUp(): Promise<string[]> {
      const since = new Date(clock().getTime() - NAMED_MS).toISOString();
      const later = state('outbox as later').whereRaw('later.lane = outbox.lane AND later.id > outbox.id');
      const found = await rows()
        .where({ abandoned: true })
        .where('created_at', '>', since)
        .whereNotExists(later.whereNotNull('later.delivered_at'))
        .orderBy('id', 'desc')
        .limit(MOST_NAMED);
      return found.map(({ report, error }) => givenUp(JSON.parse(report) as Report, error));
    },
    /** How many reports wait, and the newest error among them. */
    async backlog(): Promise<{ count: number; error: string | null }> {
      const waiting = await undelivered().where('attempts', '>', 0).orderBy('id', 'desc');
      return { count: waiting.length, error: waiting[0]?.error ?? null };
    },
  };
}
