import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FailedError } from '../../problem.ts';
import type { ServiceManager } from '../types.ts';
import { look } from './control-client.ts';
import { CONTROL } from './links.ts';

const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url));
/** Milliseconds. */
const START = 10_000;
const GRACE = 1000;
const LOOK = 5;

/** Starts the process that holds writes, unless the one of an earlier hold is still there. It ends by itself. */
export async function startSluice(options: {
  home: string;
  environment: string;
  directory: string;
  services: ServiceManager;
}): Promise<void> {
  const { home, environment, directory, services } = options;
  const isThere = () => look(directory).then((state) => state !== null);
  // One that does not answer is ended by the start of the next.
  if (await isThere().catch(() => false)) return;
  const socket = join(directory, CONTROL);
  const handle = await services.start({
    argv: [process.execPath, PROGRAM, '--directory', directory],
    cwd: directory,
    env: { LISTEN: socket, NODE_COMPILE_CACHE: join(home, 'cache', 'front-door') },
    socket,
    logFile: join(home, 'logs', `sluice-${environment}.log`),
  });
  const deadline = performance.now() + START;
  while (!(await isThere())) {
    if (!services.alive(handle) || performance.now() > deadline) {
      await services.stop(handle, GRACE);
      throw new FailedError(`the sluice of ${environment} did not start: see ${join(home, 'logs')}`);
    }
    await sleep(LOOK);
  }
}
