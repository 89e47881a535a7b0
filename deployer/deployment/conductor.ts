import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { oneLine } from '../problem.ts';
import { gateOn } from './gate.ts';
import { finishDeployment, runDeployment, Stopped } from './pipeline.ts';
import { prepare } from './prepare.ts';
import type { DeploymentRecord } from './record.ts';
import { recover } from './recovery.ts';
import { retireLeftBehind, silence } from './retire.ts';
import { takeBack } from './take-back.ts';
import { DeploymentEnded } from './ended.ts';
import type { Tools, Work } from './work.ts';

/** How often a deployment is recovered, a second apart, before a person is asked. */
const MOST_TRIES = 30;
const RETRY_MS = 1000;

/** What runs in an environment now. */
interface Running {
  record: DeploymentRecord;
  abort: AbortController;
  hurry: AbortController;
  /** Not in a known state yet. */
  isRecovering: boolean;
  /** This deployer has begun it, which counts as an attempt. */
  isCounted: boolean;
  done: Promise<void>;
}

export type Conductor = ReturnType<typeof createConductor>;

/**
 * Runs deployments: one at a time in each environment, environments side by side, the newest wins.
 * Rehearsals are not its business: see `createRehearser`.
 */
export function createConductor(tools: Tools) {
  const running = new Map<string, Running>();
  /** Where the instance that was replaced last is still being put to rest. The next deployment may begin meanwhile. */
  const retiring = new Map<string, Promise<void>>();
  const changes = new EventEmitter();
  let stopped = false;
  /** Nothing begins: the deployer is about to be replaced. */
  let resting = false;
  /** Not before what an earlier daemon left is in a known state. */
  let ready = false;

  /** Looks whether something that waits may begin, or something that runs has to give way. */
  async function kick(environment: string): Promise<void> {
    if (stopped || !ready) return;
    const waiting = await tools.journal.newest(environment, ['waiting']);
    if (!waiting || !(await mayBegin(waiting))) return;
    const current = running.get(environment);
    if (current) return current.record.id === waiting.id ? undefined : giveWay(current, waiting);
    if (resting) return;
    // No await between the look and the entry in the map: two kicks cannot begin two.
    void start(waiting, 'begin');
  }

  /** A lock and an unfinished verification make an automatic deployment wait. */
  async function mayBegin(record: DeploymentRecord): Promise<boolean> {
    if (record.automatic && (await tools.policy.locked(record.environment))) return false;
    if (record.kind !== 'deploy' || record.request.override || record.tree === null) return true;
    return (await gateOn(tools, record.environment, record.tree)).state !== 'pending';
  }

  /** What runs and has not switched gives way to what is newer; what is live is only asked to settle at once. */
  function giveWay(current: Running, newer: DeploymentRecord): void {
    current.hurry.abort();
    if (current.record.kind !== 'deploy') return;
    current.abort.abort(new DeploymentEnded('superseded', `a newer request, ${newer.id}, took its place`));
  }

  function start(record: DeploymentRecord, first: 'begin' | 'recover'): Promise<void> {
    const abort = new AbortController();
    const hurry = new AbortController();
    const { promise: known, resolve: isKnown } = Promise.withResolvers<void>();
    const entry: Running = {
      record,
      abort,
      hurry,
      isRecovering: false,
      isCounted: false,
      done: Promise.resolve(),
    };
    running.set(record.environment, entry);
    changes.emit('change');
    entry.done = (async () => {
      for (let tries = 1; ; tries++) {
        if (stopped) break;
        try {
          if (tries === 1 && first === 'begin') await begin(entry);
          else if (tries <= MOST_TRIES) await goOn(entry, isKnown);
          else await goOn(entry, isKnown).catch((error: unknown) => giveUp(record, error));
          break;
        } catch (error) {
          // The journal, most likely, on a full disk: what a new daemon would do, once it can be written again.
          tools.logger.error({ deployment: record.id, err: error }, 'the deployment has to be recovered');
          isKnown();
          await sleep(RETRY_MS, undefined, { signal: abort.signal }).catch(() => undefined);
        }
      }
      running.delete(record.environment);
      isKnown();
      // Another environment may have waited for this one's verification.
      await kickAll();
    })()
      .catch((error: unknown) =>
        tools.logger.error({ deployment: record.id, err: error }, 'the conductor failed'),
      )
      .finally(() => changes.emit('change'));
    return known;
  }

  async function begin(entry: Running): Promise<void> {
    const record = await tools.journal.begin(entry.record.id);
    entry.isCounted = true;
    const work = await workOf(entry, record);
    await runDeployment(work);
    rememberRetiring(work);
  }

  function workOf({ abort, hurry }: Running, record: DeploymentRecord): Promise<Work> {
    const slotIsFree = retiring.get(record.environment) ?? Promise.resolve();
    return prepare(tools, record, { signal: abort.signal, hurry: hurry.signal, slotIsFree });
  }

  function rememberRetiring({ retiring: ends, record: { environment } }: Work): void {
    if (!ends) return;
    retiring.set(environment, ends);
    void (async () => {
      await ends;
      if (retiring.get(environment) === ends) retiring.delete(environment);
    })();
  }

  async function giveUp({ id }: DeploymentRecord, error: unknown): Promise<void> {
    const { phase } = await tools.journal.get(id);
    if (phase === 'waiting' || phase === 'finished') return;
    await tools.journal.finish(id, 'needs_attention', `it could not be recovered: ${oneLine(error)}`);
  }

  /** From a known state, which is announced. */
  async function goOn(entry: Running, isKnown: () => void): Promise<void> {
    const { id } = entry.record;
    entry.isRecovering = true;
    const left = await tools.journal.get(id);
    if (left.phase === 'waiting' || left.phase === 'finished') return;
    const next = await recover(tools, left);
    tools.logger.info({ deployment: id, phase: left.phase, next }, 'recovered');
    entry.isRecovering = next === 'take back';
    isKnown();
    if (next === 'restarted' || next === 'ended') return;
    const work = await workOf(entry, await tools.journal.get(id));
    if (next === 'watch') {
      await silence(work);
      await finishDeployment(work);
      rememberRetiring(work);
    } else await takeBack(work, work.record.cause ?? 'the deployer died while it was taking this back');
  }

  async function kickAll(): Promise<void> {
    const waiting = await tools.journal.inPhases(['waiting']);
    for (const environment of new Set(waiting.map((record) => record.environment))) await kick(environment);
  }

  return {
    kick,
    kickAll,

    /** Brings what an earlier daemon left behind to a known state, then goes on; nothing begins before. */
    async recover(): Promise<void> {
      const left = await tools.journal.inPhases(['running', 'switching', 'live', 'reverting']);
      await Promise.all([
        ...left.filter(({ kind }) => kind !== 'rehearsal').map((record) => start(record, 'recover')),
        retireLeftBehind(tools, (environment) => running.has(environment)),
      ]);
      ready = true;
    },

    /** Whether something that an earlier daemon left, or that failed unexpectedly, is not yet in a known state. */
    isRecovering: () => [...running.values()].some((entry) => entry.isRecovering),

    /** Whether a deployment of the environment is not yet at rest. */
    runs: (environment: string) => running.has(environment) || retiring.has(environment),

    /** Whether any is. */
    isBusy: () => running.size > 0,

    /** Calls back when a deployment begins, and when one is over and what waited for it has begun. */
    onChange: (listener: () => void) => void changes.on('change', listener),

    /** Lets what runs end, and begins nothing any more: what comes waits. Resolves when nothing runs. */
    async rest(): Promise<void> {
      resting = true;
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },

    /** Goes on after `rest`. */
    async resume(): Promise<void> {
      resting = false;
      await kickAll();
    },

    /** Ends what has not switched; the next daemon begins it anew. */
    async stop(): Promise<void> {
      stopped = true;
      const ends = [...running.values()];
      for (const { abort, hurry } of ends) {
        abort.abort(new Stopped('the deployer stops'));
        hurry.abort();
      }
      await Promise.all(ends.map(({ done }) => done));
      // Whoever restarts the deployer tells nothing of the deployment: only deaths do.
      for (const { record } of ends.filter(({ isCounted }) => isCounted))
        await tools.journal.uncount(record.id);
      await Promise.all(retiring.values());
    },
  };
}
