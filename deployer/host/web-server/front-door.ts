import { connect } from 'node:net';
import { FailedError, oneLine } from '../../problem.ts';
import { parseListen } from '../ports.ts';
import { ask, ifUnreachable } from '../sluice/control-client.ts';
import { giveBackAbandoned, holdIn, noneLeft } from '../sluice/hold.ts';
import { linksIn, point, WRITES } from '../sluice/links.ts';
import { startSluice } from '../sluice/start.ts';
import { writesIn } from '../sluice/writes.ts';
import type { FrontDoor, Hold, RunDirectory, ServiceManager } from '../types.ts';
import { openAccessLog, type AccessLog } from './access-log.ts';
import { accessLogOf } from './site.ts';

/** Milliseconds. */
const ANSWER = 2000;

export interface Edges {
  /** The deployer's home, for the log and the compile cache of the sluice. */
  home: string;
  runDirectory: RunDirectory;
  /** Starts the sluice. */
  services: ServiceManager;
}

/**
 * Caddy or nginx as the front door, by the configuration that `render.ts` makes: it runs by itself, and is told
 * nothing but by the links. Writes in flight are counted in the kernel, answers in the access log.
 */
export function webServerFrontDoor({ home, runDirectory, services }: Edges): FrontDoor {
  const logs = new Map<string, AccessLog>();
  const linksOf = (environment: string) => linksIn(runDirectory.of(environment), WRITES);

  function answersOf(environment: string): AccessLog {
    const log = logs.get(environment) ?? openAccessLog(accessLogOf(home, environment));
    logs.set(environment, log);
    return log;
  }

  /** @throws FailedError when the web server does not serve the environment */
  function served(environment: string): Record<string, number> {
    const writes = writesIn(runDirectory.of(environment));
    if (Object.keys(writes).length > 0) return writes;
    throw new FailedError(
      `no web server is the front door of ${environment}: start it; when the environment is new, run npx deployer install in a clone that has environments/${environment}.yaml`,
    );
  }

  return {
    async ensure(environment, listen) {
      await giveBackAbandoned(linksOf(environment));
      served(environment);
      answersOf(environment).read();
      await answers(environment, listen);
    },
    async links(environment) {
      const links = linksOf(environment);
      return { live: links.live(), write: links.write() };
    },
    async point(environment, socket) {
      served(environment);
      await point(linksOf(environment), environment, socket);
    },
    async hold(environment, options) {
      served(environment);
      const links = linksOf(environment);
      await startSluice({ home, environment, directory: links.directory, services });
      const held = await holdIn(links, environment, options);
      return { ...held, release: () => held.release().then(() => giveBackAbandoned(links)) } satisfies Hold;
    },
    async counters(environment) {
      const { requests, errors } = answersOf(environment).read();
      const writes = Object.values(served(environment));
      return { requests, errors, writesInFlight: writes.reduce((total, count) => total + count, 0) };
    },
    drained: (environment, socket, deadlineMs) =>
      noneLeft(async () => {
        const { directory } = linksOf(environment);
        const passed = await ask(directory, '/state').catch(ifUnreachable(null));
        return (passed?.writesAt ?? writesIn(directory))[socket] ?? 0;
      }, deadlineMs),
    async letGo(environment) {
      const links = linksOf(environment);
      await ask(links.directory, '/let-go', {}).catch(ifUnreachable(null));
      await giveBackAbandoned(links);
    },
    async stop(environment) {
      // The web server is not ours to stop: it shows the maintenance page.
      await this.letGo(environment);
    },
  };
}

/** @throws FailedError when nobody listens there */
async function answers(environment: string, listen: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ ...parseListen(listen), timeout: ANSWER });
  socket.once('connect', resolve);
  socket.once('error', reject);
  socket.once('timeout', () => reject(new Error('no answer')));
  try {
    await promise;
  } catch (error) {
    throw new FailedError(
      `the web server does not listen on ${listen} for ${environment} (${oneLine(error)}): run deployer install again`,
    );
  } finally {
    socket.destroy();
  }
}
