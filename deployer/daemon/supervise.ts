import { setTimeout as sleep } from 'node:timers/promises';
import type { Conductor } from '../deployment/conductor.ts';
import { liveFrom } from '../deployment/conductor.ts';
import { boot } from '../deployment/instance.ts';
import { socketOf, type Live, type Tools } from '../deployment/work.ts';
import { oneLine } from '../problem.ts';

const LOOK_EVERY_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export type Supervisor = ReturnType<typeof createSupervisor>;

/** Keeps what is live alive: an instance or a front door that died is started again, with growing pauses while it fails. */
export function createSupervisor(
  tools: Tools,
  conductor: Pick<Conductor, 'runs'>,
  environments: () => Promise<string[]>,
) {
  const failures = new Map<string, { count: number; until: number; problem: string }>();
  const stop = new AbortController();
  let loop: Promise<void> = Promise.resolve();

  async function look(environment: string): Promise<void> {
    const record = await tools.journal.liveOf(environment);
    const live = record && liveFrom(tools, record);
    if (!live || (failures.get(environment)?.until ?? 0) > Date.now()) return;
    try {
      await tools.frontDoor.ensure(environment, live.config.listen);
      // While a deployment runs, its stages watch the instances themselves.
      if (!conductor.runs(environment)) await revive(live);
      failures.delete(environment);
    } catch (error) {
      const count = (failures.get(environment)?.count ?? 0) + 1;
      const pause = Math.min(LOOK_EVERY_MS * 2 ** count, LONGEST_PAUSE_MS);
      failures.set(environment, {
        count,
        until: Date.now() + pause,
        problem: `${environment}: what is live could not be started again: ${oneLine(error)}`,
      });
      tools.logger.error({ environment, error: oneLine(error) }, 'could not revive');
    }
  }

  /** The live release on its own slot and generation, and both links to it. */
  async function revive(live: Live): Promise<void> {
    const { record, config, slot, generation } = live;
    const instance = await tools.instances.get(config.name, slot);
    if (!instance || !tools.services.alive(instance.process)) {
      tools.logger.warn(
        { environment: config.name, deployment: record.id },
        'the live instance is gone; it is started again',
      );
      const release = await tools.releases.build({
        commit: record.commit,
        tree: record.tree ?? '',
        install: config.commands.install,
        log: (line: string) => tools.logger.info({ environment: config.name }, line),
        signal: stop.signal,
      });
      const deployment = { id: record.id, commit: record.commit, branch: record.branch };
      await boot(tools, {
        config,
        slot,
        release,
        generation,
        deployment,
        readOnly: false,
        signal: stop.signal,
      });
    }
    const links = await tools.frontDoor.links(config.name);
    const socket = socketOf(slot);
    if (!conductor.runs(config.name) && (links.live !== socket || links.write !== socket)) {
      await tools.frontDoor.point(config.name, socket);
    }
  }

  async function lookAtAll(): Promise<void> {
    const names = await environments();
    await Promise.all(names.map((name) => look(name)));
  }

  return {
    lookAtAll,
    problems: () => [...failures.values()].map(({ problem }) => problem),
    start(): void {
      loop = (async () => {
        while (!stop.signal.aborted) {
          await lookAtAll().catch((error: unknown) =>
            tools.logger.error({ err: error }, 'the supervisor failed'),
          );
          await sleep(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
        }
      })();
    },
    async stop(): Promise<void> {
      stop.abort(new Error('the deployer stops'));
      await loop;
    },
  };
}
