import type { Logger } from 'pino';
import type { Forge } from '../forge/types.ts';
import { oneLine } from '../problem.ts';

/** GitHub never sends again by itself, and lists deliveries page by page: often enough, and no more. */
const ASK_EVERY_MS = 10 * 60_000;
/** At the start: what may have been missed while nobody listened. */
const LOOK_BACK_MS = 24 * 3_600_000;

/** Asks the forge to send again what did not reach us. The look at the interval finds every branch anyway. */
export function createRedelivery(options: {
  forge: Pick<Forge, 'redeliverFailed'>;
  clock: () => Date;
  logger: Logger;
}) {
  const { forge, clock, logger } = options;
  let since = new Date(clock().getTime() - LOOK_BACK_MS);
  let timer: NodeJS.Timeout | undefined;

  async function ask(): Promise<void> {
    const now = clock();
    try {
      const count = await forge.redeliverFailed(since);
      // With an overlap: one that failed again is asked for again, and clocks differ.
      since = new Date(now.getTime() - ASK_EVERY_MS);
      if (count > 0) logger.info({ count }, 'deliveries that were missed are sent again');
    } catch (error) {
      // What it is, the forge tells as its trouble.
      logger.debug({ error: oneLine(error) }, 'missed deliveries could not be asked for');
    }
  }

  return {
    /** Asks now, and from then on at its own pace. */
    start(): void {
      void ask();
      timer = setInterval(() => void ask(), ASK_EVERY_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
