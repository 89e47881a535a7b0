import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FailedError, oneLine } from '../../problem.ts';
import { assertFree } from '../ports.ts';
import type { FrontDoor, Hold, ProcessHandle, RunDirectory, ServiceManager } from '../types.ts';
import { ask, look, Unreachable } from '../sluice/control-client.ts';
import { CONTROL, HANDLE, isInstanceSocket, isSocket, pointBoth, readLink } from '../sluice/links.ts';

const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url));
/** Milliseconds. */
const START = 10_000;
const GRACE = 5000;
const LOOK = 10;

const handleSchema = z.object({ pid: z.number().int().positive(), startTime: z.string() });

export interface Edges {
  /** The deployer's home, for the log and the compile cache. */
  home: string;
  runDirectory: RunDirectory;
  services: ServiceManager;
}

/** The front door as a process of its own, one an environment, which outlives the daemon. */
export function embeddedFrontDoor({ home, runDirectory, services }: Edges): FrontDoor {
  const queues = new Map<string, Promise<unknown>>();

  /** One start or stop of an environment's front door at a time. */
  function inTurn(environment: string, work: () => Promise<void>): Promise<void> {
    const turn = (queues.get(environment) ?? Promise.resolve()).then(work, work);
    queues.set(environment, turn);
    return turn;
  }

  async function ensure(environment: string, listen: string): Promise<void> {
    const directory = runDirectory.of(environment);
    const running = await look(directory).catch(() => null);
    if (running?.listen === listen) return;
    await stop(environment);
    // It also ends one that has lost its directory, and with it the record of its process.
    const handle = await services.start({
      argv: [process.execPath, PROGRAM, '--listen', listen, '--directory', directory],
      cwd: directory,
      env: { LISTEN: join(directory, CONTROL), NODE_COMPILE_CACHE: join(home, 'cache', 'front-door') },
      socket: join(directory, CONTROL),
      logFile: join(home, 'logs', `front-door-${environment}.log`),
    });
    await ready(directory, listen, handle);
  }

  async function ready(directory: string, listen: string, handle: ProcessHandle): Promise<void> {
    const deadline = performance.now() + START;
    while ((await look(directory))?.listen !== listen) {
      if (!services.alive(handle)) await assertFree(listen);
      if (!services.alive(handle) || performance.now() > deadline) {
        await services.stop(handle, GRACE);
        throw new FailedError(`the front door on ${listen} did not start: see ${join(home, 'logs')}`);
      }
      await sleep(LOOK);
    }
  }

  async function stop(environment: string): Promise<void> {
    const directory = runDirectory.of(environment);
    const handle = readHandle(directory) ?? (await look(directory).catch(() => null));
    if (handle !== null) await services.stop({ pid: handle.pid, startTime: handle.startTime }, GRACE);
    rmSync(join(directory, HANDLE), { force: true });
  }

  return {
    ensure: (environment, listen) => inTurn(environment, () => ensure(environment, listen)),
    stop: (environment) => inTurn(environment, () => stop(environment)),
    async links(environment) {
      const directory = runDirectory.of(environment);
      return { live: readLink(directory, 'live.sock'), write: readLink(directory, 'write.sock') };
    },
    async point(environment, socket) {
      const directory = runDirectory.of(environment);
      if (!isInstanceSocket(socket) || !isSocket(join(directory, socket))) {
        throw new FailedError(
          `${JSON.stringify(socket)} is no instance's socket of ${environment}: nothing was re-pointed`,
        );
      }
      pointBoth(directory, socket);
    },
    async hold(environment, options) {
      const directory = runDirectory.of(environment);
      const id = randomUUID();
      const begun = await ask(directory, '/hold', { id, ...options }).catch(notThere(environment));
      if (begun === null)
        throw new FailedError(`the writes of ${environment} are already held by another deployment`);
      return holdOf(directory, id);
    },
    async counters(environment) {
      const { requests, errors, writesInFlight } = await present(environment, runDirectory.of(environment));
      return { requests, errors, writesInFlight };
    },
    async drained(environment, socket, deadlineMs) {
      const directory = runDirectory.of(environment);
      const deadline = performance.now() + deadlineMs;
      for (;;) {
        const state = await look(directory);
        if (!state?.writesAt[socket]) return true;
        if (performance.now() >= deadline) return false;
        await sleep(LOOK);
      }
    },
    async letGo(environment) {
      // Without a process there is no hold: the next one to start gives the writes back.
      await ask(runDirectory.of(environment), '/let-go', {}).catch(ifUnreachable(null));
    },
  };
}

function holdOf(directory: string, id: string): Hold {
  const renew = () => ask(directory, '/renew', { id }).catch(ifUnreachable(null));
  return {
    renew: async () => (await renew()) !== null,
    async drained(deadlineMs) {
      const deadline = performance.now() + deadlineMs;
      for (;;) {
        const state = await renew();
        if (state?.writesInFlight === 0) return true;
        if (state === null || performance.now() >= deadline) return false;
        await sleep(LOOK);
      }
    },
    async switchTo(socket) {
      // When the process ended before it answered, the link says whether it came to the switch.
      const pointed = async () => readLink(directory, 'live.sock') === socket;
      return ask(directory, '/switch', { id, socket }).then(
        (state) => state !== null,
        whenUnreachable(pointed),
      );
    },
    async release() {
      await ask(directory, '/release', { id }).catch(ifUnreachable(null));
    },
  };
}

async function present(environment: string, directory: string) {
  const state = await ask(directory, '/state').catch(notThere(environment));
  if (state === null) throw new FailedError(`the front door of ${environment} did not say how it is`);
  return state;
}

function notThere(environment: string) {
  return whenUnreachable((error): never => {
    throw new FailedError(`the front door of ${environment} is not running: ${oneLine(error)}`);
  });
}

function ifUnreachable<T>(value: T) {
  return whenUnreachable(() => value);
}

function whenUnreachable<T>(then: (error: Unreachable) => T) {
  return (error: unknown): T => {
    if (error instanceof Unreachable) return then(error);
    throw error;
  };
}

function readHandle(directory: string): ProcessHandle | null {
  try {
    return handleSchema.parse(JSON.parse(readFileSync(join(directory, HANDLE), 'utf8')));
  } catch {
    return null;
  }
}
