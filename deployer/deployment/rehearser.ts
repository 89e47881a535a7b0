import { CutOffError, oneLine } from '../problem.ts';
import type { Conductor } from './conductor.ts';
import { DeploymentEnded, Stopped } from './ended.ts';
import { runDeployment } from './pipeline.ts';
import { prepare } from './prepare.ts';
import type { DeploymentRecord } from './record.ts';
import { MOST_ATTEMPTS, stopOwn } from './recovery.ts';
import type { Tools } from './work.ts';

export type Rehearser = ReturnType<typeof createRehearser>;

/**
 * Runs rehearsals: one at a time in the whole daemon, the oldest first, and only while no deployment runs.
 * When one begins, the rehearsal that runs is ended at once and waits again.
 */
export function createRehearser(options: {
  tools: Tools;
  conductor: Pick<Conductor, 'isBusy' | 'onChange'>;
  /** After each rehearsal: what it built and nothing needs is removed. */
  onEnded: () => Promise<void>;
}) {
  const { tools, conductor } = options;
  const { journal, logger } = tools;
  let current: { record: DeploymentRecord; abort: AbortController; done: Promise<void> } | null = null;
  /** Those that are being cancelled must not begin meanwhile. */
  const cancelled = new Set<string>();
  let stopped = false;
  let ready = false;
  let kicking = Promise.resolve();

  const mayBegin = () => ready && !stopped && !current && !conductor.isBusy();

  /** Begins the oldest that waits, if nothing is in its way. */
  async function kick(): Promise<void> {
    if (!mayBegin()) return;
    await takeUp();
    const next = (await journal.rehearsals(['waiting'])).find(({ id }) => !cancelled.has(id));
    if (!next || !mayBegin()) return;
    const abort = new AbortController();
    current = { record: next, abort, done: Promise.resolve() };
    current.done = run(next, abort.signal);
  }

  async function run(record: DeploymentRecord, signal: AbortSignal): Promise<void> {
    try {
      const begun = await journal.begin(record.id);
      await runDeployment(
        await prepare(tools, begun, { signal, hurry: signal, slotIsFree: Promise.resolve() }),
      );
      // Otherwise it gave way, and waits again.
      if (await isOver(record)) await options.onEnded();
    } catch (error) {
      logger.error({ deployment: record.id, err: error }, 'the rehearsal failed in an unexpected way');
      // What was cut off, and where even that cannot be written, is taken up by a later kick.
      if (!(error instanceof CutOffError))
        await journal.finish(record.id, 'failed', oneLine(error)).catch(() => undefined);
    } finally {
      current = null;
    }
    kickSoon();
  }

  const isOver = async ({ id }: DeploymentRecord) => (await journal.get(id)).phase === 'finished';

  /** What a daemon that died, or a journal that could not be written, left behind is begun anew. */
  async function takeUp(): Promise<void> {
    for (const record of await journal.rehearsals(['running'])) {
      await stopOwn(tools, record);
      if (record.attempts < MOST_ATTEMPTS) await journal.restart(record.id);
      else
        await journal.finish(
          record.id,
          'failed',
          `the deployer died ${record.attempts} times during this rehearsal`,
        );
    }
  }

  /** One look at a time, so that two cannot begin two. */
  function kickSoon(): void {
    kicking = kicking
      .then(kick)
      .catch((error: unknown) => logger.warn({ error: oneLine(error) }, 'no rehearsal could be begun'));
  }

  /** A deployment never waits for a rehearsal. */
  conductor.onChange(() => {
    if (conductor.isBusy()) current?.abort.abort(new Stopped('a deployment goes first'));
    else kickSoon();
  });

  return {
    kick: kickSoon,

    /** Ends a rehearsal that runs or waits; resolves when it is over. */
    async cancel(id: string, why: string): Promise<void> {
      cancelled.add(id);
      try {
        if (current?.record.id === id) {
          current.abort.abort(new DeploymentEnded('superseded', why));
          await current.done;
        }
        // It may have ended otherwise, or have given way to a deployment just then.
        if ((await journal.get(id)).phase === 'waiting') await journal.finish(id, 'superseded', why);
      } finally {
        cancelled.delete(id);
      }
    },

    /** Nothing begins before what an earlier daemon left is in a known state. */
    start(): void {
      ready = true;
      kickSoon();
    },

    /** The next daemon begins anew what is not over. */
    async stop(): Promise<void> {
      stopped = true;
      await kicking;
      current?.abort.abort(new Stopped('the deployer stops'));
      await current?.done;
    },
  };
}
