import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { inPortions } from '../portions.ts';

const DAY_MS = 86_400_000;
/** GitHub sends a delivery again for three days at most, and a report is looked up when somebody asks why. */
const KEPT_DAYS = 30;
/** Logs of deployments, a few kilobytes each: the newest. */
const KEPT_LOGS = 10_000;

/** Removes delivered reports, handled deliveries and the oldest logs, now and daily, so that they do not grow for ever. */
export function startForgetting(parts: {
  state: Knex;
  outbox: { forget(before: Date): Promise<void> };
  /** The directory of the deployments' logs. */
  logs: string;
  clock: () => Date;
  logger: Logger;
}): { stop(): Promise<void> } {
  const { state, outbox, logs, clock, logger } = parts;
  const forget = async () => {
    const before = new Date(clock().getTime() - KEPT_DAYS * DAY_MS);
    await outbox.forget(before);
    await inPortions(state, 'events', (old) => old.where('received_at', '<', before.toISOString()));
    await forgetLogs(logs, KEPT_LOGS);
  };
  const run = () =>
    forget().catch((err: unknown) =>
      logger.warn({ err }, 'old reports, deliveries or logs could not be removed'),
    );
  let running = run();
  const timer = setInterval(() => void (running = run()), DAY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/** Removes all but the newest logs: their names begin with the time. */
export async function forgetLogs(directory: string, keep: number): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const oldestFirst = names.toSorted((a, b) => (a < b ? -1 : 1));
  for (const name of oldestFirst.slice(0, -keep)) await rm(join(directory, name), { force: true });
}
