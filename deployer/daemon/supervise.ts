import { setTimeout as sleep } from 'node:timers/promises';
import type { Conductor } from '../deployment/conductor.ts';
import { liveFrom } from '../deployment/prepare.ts';
import { boot, DRAIN_MS, stop as stopInstance } from '../deployment/instance.ts';
import { socketOf, type Live, type Tools } from '../deployment/work.ts';
import { oneLine } from '../problem.ts';
import { Comebacks } from './comebacks.ts';

const LOOK_EVERY_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** From the switch on, the deployment itself decides which instance is to serve, also one that waits for its recovery. */
const DECIDING = ['switching', 'live', 'reverting'] as const;

export type Supervisor = ReturnType<typeof createSupervisor>;

/** Keeps what is live alive: an instance or a front door that died is started again, with growing pauses while it fails. */
export function createSupervisor(
  tools: Tools,
  conductor: Pick<Conductor, 'runs'>,
  environments: () => Promise<string[]>,
) {
  const failures = new Map<string, { count: number; until: number; problem: string }>();
  const comebacks = new Comebacks();
  const looking = new Map<string, Promise<void>>();
  const stop = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let mending: Promise<void> = Promise.resolve();

  /** An environment that takes long keeps no other one waiting. */
  function look(environment: string): Promise<void> {
    const present = looking.get(environment);
    if (present) return present;
    const begun = lookNow(environment).finally(() => looking.delete(environment));
    looking.set(environment, begun);
    return begun;
  }

  async function lookNow(environment: string): Promise<void> {
    if ((failures.get(environment)?.until ?? 0) > performance.now()) return;
    try {
      const live = await liveOf(environment);
      if (!live) return;
      await tools.frontDoor.ensure(environment, live.config.listen);
      const revived = (await isDeciding(environment)) || (await revive(live));
      if (revived) failures.delete(environment);
    } catch (error) {
      const count = (failures.get(environment)?.count ?? 0) + 1;
      const pause = Math.min(LOOK_EVERY_MS * 2 ** count, LONGEST_PAUSE_MS);
      failures.set(environment, {
        count,
        until: performance.now() + pause,
        problem: `${environment}: what is live could not be started again: ${oneLine(error)}`,
      });
      tools.logger.error({ environment, error: oneLine(error) }, 'could not revive');
    }
  }

  async function liveOf(environment: string): Promise<Live | null> {
    const record = await tools.journal.liveOf(environment);
    return record && liveFrom(tools, record);
  }

  const isDeciding = async (environment: string) =>
    (await tools.journal.newest(environment, DECIDING)) !== null;

  /**
   * The live release on its own slot and generation, both links to it, and the machine told to bring it up after a boot.
   * @returns false when it has crashed again and again, and is not started before a pause
   */
  async function revive(live: Live): Promise<boolean> {
    const { config, slot } = live;
    if (!(await isThere(live))) {
      if (mustPause(config.name)) return false;
      await bootAgain(live);
    }
    if (conductor.runs(config.name) || (await isDeciding(config.name))) return true;
    await tools.services.keep({ environment: config.name, slot }, 'live');
    const links = await tools.frontDoor.links(config.name);
    const socket = socketOf(slot);
    if (links.live !== socket || links.write !== socket) await tools.frontDoor.point(config.name, socket);
    return true;
  }

  /** Also what the machine itself has started again. */
  async function isThere({ config, slot }: Live): Promise<boolean> {
    const instance = await tools.instances.get(config.name, slot);
    if (!instance || tools.services.alive(instance.process)) return instance !== null;
    const process = tools.services.present(instance.process);
    if (!process) return false;
    await tools.instances.put({ ...instance, process });
    await noteRestart(instance.deployment, config.name);
    return true;
  }

  const noteRestart = (deployment: string, environment: string) =>
    tools.journal.audit({
      actor: 'deployer',
      action: 'started again',
      environment,
      deployment,
      detail: 'the instance that was live had ended',
    });

  /** One that lives a moment only is not started at every look: a pause that grows leaves the machine to the others. */
  function mustPause(environment: string): boolean {
    const pause = comebacks.pause(environment, performance.now());
    if (pause === 0) {
      comebacks.note(environment, performance.now());
      return false;
    }
    const count = comebacks.count(environment);
    const seconds = Math.ceil(pause / 1000);
    const problem = `${environment}: what is live has ended ${count + 1} times in a row; it is started again in ${seconds} s`;
    failures.set(environment, { count: 0, until: performance.now() + pause, problem });
    tools.logger.error({ environment, pauseSeconds: seconds }, problem);
    return true;
  }

  async function bootAgain({ record, config, slot, generation }: Live): Promise<void> {
    tools.logger.warn(
      { environment: config.name, deployment: record.id },
      'the live instance is gone; it is started again',
    );
    const release = await releaseOf(record, config);
    const instance = await boot(tools, {
      config,
      slot,
      release,
      generation,
      deployment: { id: record.id, commit: record.commit, branch: record.branch },
      deployedAt: record.liveAt,
      readOnly: false,
      signal: stop.signal,
    });
    await noteRestart(record.id, config.name);
    // A deployment went live meanwhile, and may have looked for this one before it was there.
    const now = await tools.journal.liveOf(config.name);
    if (now?.id !== record.id) await stopInstance(tools, instance, 0);
  }

  const releaseOf = (record: Live['record'], config: Live['config']) =>
    tools.releases.build({
      commit: record.commit,
      tree: record.tree ?? '',
      install: config.commands.install,
      log: (line: string) => tools.logger.info({ environment: config.name }, line),
      signal: stop.signal,
    });

  /**
   * What is live has to be the tree that was verified, also where the machine has brought it up by itself after its power
   * was cut: a release that is torn, or that a hand has changed, is built again, and its instance started from that.
   */
  async function mend(environment: string): Promise<void> {
    const live = await liveOf(environment);
    if (!live || conductor.runs(environment)) return;
    const { record, config } = live;
    const damage = await tools.releases.damage({ tree: record.tree ?? '', install: config.commands.install });
    if (damage === null || conductor.runs(environment)) return;
    tools.logger.error(
      { environment, damage },
      'the live release is not what was verified; it is built again',
    );
    await releaseOf(record, config);
    const instance = await tools.instances.get(environment, live.slot);
    if (instance) await tools.services.stop(instance.process, DRAIN_MS);
    await look(environment);
  }

  async function mendAll(): Promise<void> {
    for (const environment of await environments()) {
      await mend(environment).catch((error: unknown) => {
        if (stop.signal.aborted) return;
        tools.logger.error({ environment, error: oneLine(error) }, 'the live release could not be looked at');
      });
    }
  }

  async function lookAtAll(): Promise<void> {
    const names = await environments();
    await Promise.all(names.map((name) => look(name)));
  }

  return {
    lookAtAll,
    /** Resolves once nothing is done any more for an environment that was removed. */
    async forget(environment: string): Promise<void> {
      await looking.get(environment);
      failures.delete(environment);
    },
    problems: () => [...failures.values()].map(({ problem }) => problem),
    start(): void {
      mending = mendAll();
      loop = (async () => {
        while (!stop.signal.aborted) {
          void lookAtAll().catch((error: unknown) =>
            tools.logger.error({ err: error }, 'the supervisor failed'),
          );
          await sleep(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
        }
      })();
    },
    async stop(): Promise<void> {
      stop.abort(new Error('the deployer stops'));
      await Promise.all([loop, mending]);
      await Promise.all(looking.values());
    },
  };
}
