import type { Knex } from 'knex';
import type { Logger } from 'pino';

const DAY_MS = 86_400_000;
/** GitHub sends a delivery again for three days at most, and a report is looked up when somebody asks why. */
const KEPT_DAYS = 30;

/** Removes delivered reports and handled deliveries after a while, now and daily, so that the state does not grow for ever. */
export function startForgetting(parts: {
  state: Knex;
  outbox: { forget(before: Date): Promise<void> };
  clock: () => Date;
  logger: Logger;
}): { stop(): Promise<void> } {
  const { state, outbox, clock, logger } = parts;
  const forget = async () => {
    const before = new Date(clock().getTime() - KEPT_DAYS * DAY_MS);
    await outbox.forget(before);
    await state('events').where('received_at', '<', before.toISOString()).delete();
  };
  const run = () =>
    forget().catch((err: unknown) => logger.warn({ err }, 'old reports could not be removed'));
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
