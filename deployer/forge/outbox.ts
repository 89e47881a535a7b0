import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { oneLine } from '../problem.ts';
import { ForgeError, type Forge, type Report } from './types.ts';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15 * 60_000;
/** How long to wait when the state itself cannot be read or written. */
const STATE_RETRY_MS = 1000;
/** A timer waits no longer; what is not due then is looked at again. */
const LONGEST_SLEEP_MS = 3_600_000;

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
      return `deployment ${report.deployment}`;
    case 'comment':
      return `comment ${'pull' in report.on ? report.on.pull : report.on.commit} ${report.key}`;
    default:
      return `${report.type} ${report.commit}`;
  }
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
  let timer: NodeJS.Timeout | undefined;
  const end = new AbortController();

  const rows = () => state<OutboxRow>('outbox');
  const undelivered = () => rows().whereNull('delivered_at').where({ abandoned: false });

  async function deliverAll(): Promise<void> {
    // When the first of each lane that has to wait is due; those behind it wait with it.
    let blocked: Map<string, string>;
    do {
      again = false;
      blocked = new Map();
      const now = clock().toISOString();
      for (const row of await undelivered().orderBy('id')) {
        if (end.signal.aborted) return;
        if (blocked.has(row.lane)) continue;
        const next = row.next_at > now ? row.next_at : await deliver(row);
        if (next !== null) blocked.set(row.lane, next);
      }
    } while (again && !end.signal.aborted);
    const [first] = [...blocked.values()].toSorted();
    if (first !== undefined) kickIn(Date.parse(first) - clock().getTime());
  }

  /** @returns null when the report is done with, or when it is due again */
  async function deliver(row: OutboxRow): Promise<string | null> {
    try {
      await forge.send(JSON.parse(row.report) as Report);
    } catch (error) {
      const terminal = error instanceof ForgeError && !error.retryable;
      const asked = error instanceof ForgeError ? error.retryAfterMs : undefined;
      const pause = asked ?? Math.min(FIRST_RETRY_MS * 2 ** row.attempts, LONGEST_RETRY_MS);
      logger.warn(
        { report: row.id, lane: row.lane, error: oneLine(error) },
        terminal ? 'report given up' : 'report will be sent again',
      );
      const next = new Date(clock().getTime() + pause).toISOString();
      await rows()
        .where({ id: row.id })
        .update({ attempts: row.attempts + 1, next_at: next, error: oneLine(error), abandoned: terminal });
      return terminal ? null : next;
    }
    await rows().where({ id: row.id }).update({ delivered_at: clock().toISOString(), error: null });
    return null;
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
    async stop(): Promise<void> {
      end.abort();
      clearTimeout(timer);
      await delivering;
    },
    /** How many reports wait, and the newest error among them. */
    async backlog(): Promise<{ count: number; error: string | null }> {
      const waiting = await undelivered().where('attempts', '>', 0).orderBy('id', 'desc');
      return { count: waiting.length, error: waiting[0]?.error ?? null };
    },
  };
}
