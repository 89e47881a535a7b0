import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FailedError } from '../../problem.ts';
import { assertFree } from '../ports.ts';
import { ifUnreachable, lacksFiles } from '../sluice/control-client.ts';
import { holdIn, noneLeft } from '../sluice/hold.ts';
import { CONTROL, HANDLE, linksIn, point } from '../sluice/links.ts';
import type { FrontDoor, ProcessHandle, RunDirectory, ServiceManager } from '../types.ts';
import { ask, look } from './state.ts';

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
  const linksOf = (environment: string) => linksIn(runDirectory.of(environment));

  /** One start or stop of an environment's front door at a time. */
  function inTurn(environment: string, work: () => Promise<void>): Promise<void> {
    const turn = (queues.get(environment) ?? Promise.resolve()).then(work, work);
    queues.set(environment, turn);
    return turn;
  }

  async function ensure(environment: string, listen: string): Promise<void> {
    const directory = runDirectory.of(environment);
    const running = await look(directory).catch((error: unknown) => {
      if (lacksFiles(error)) throw error;
      return null;
    });
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
    links: async (environment) => {
      const links = linksOf(environment);
      return { live: links.live(), write: links.write() };
    },
    point: (environment, socket) => point(linksOf(environment), environment, socket),
    hold: (environment, options) => holdIn(linksOf(environment), environment, options),
    async counters(environment) {
      const state = await look(runDirectory.of(environment));
      if (state === null) throw new FailedError(`the front door of ${environment} is not running`);
      const { requests, errors, writesInFlight } = state;
      return { requests, errors, writesInFlight };
    },
    drained: (environment, socket, deadlineMs) =>
      noneLeft(async () => (await look(runDirectory.of(environment)))?.writesAt[socket] ?? 0, deadlineMs),
    async letGo(environment) {
      // Without a process there is no hold: the next one to start gives the writes back.
      await ask(runDirectory.of(environment), '/let-go', {}).catch(ifUnreachable(null));
    },
  };
}

function readHandle(directory: string): ProcessHandle | null {
  try {
    return handleSchema.parse(JSON.parse(readFileSync(join(directory, HANDLE), 'utf8')));
  } catch {
    return null;
  }
}
