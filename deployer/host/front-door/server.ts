import { rmSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { parseListen } from '../ports.ts';
import { startTimeOf } from '../proc.ts';
import { controlServer } from '../sluice/control.ts';
import { holds } from '../sluice/holds.ts';
import { CONTROL, HANDLE } from '../sluice/links.ts';
import { openSluice } from '../sluice/sluice.ts';
import { Traffic } from '../sluice/traffic.ts';
import { visitors } from './visitors.ts';

/** Milliseconds. */
const UPLOAD_IDLE = 60_000;
const LOOK = 500;

export interface FrontDoorProcess {
  /** Resolves when it has ended by itself, because its directory is gone or another one has taken it over. */
  readonly displaced: Promise<void>;
  /** Stops accepting, lets what is in flight end for at most 3 s. */
  close(): Promise<void>;
}

export interface Options {
  /** `host:port` */
  listen: string;
  /** The environment's run directory. */
  directory: string;
  log: (line: string) => void;
  uploadIdleMs?: number;
}

/** Listens for visitors first: the address is what decides which of two processes is the front door. */
export async function serve({
  listen,
  directory,
  log,
  uploadIdleMs = UPLOAD_IDLE,
}: Options): Promise<FrontDoorProcess> {
  const traffic = new Traffic();
  const front = visitors({ directory, traffic, uploadIdleMs, log });
  await listening(front.server, parseListen(listen));
  const sluice = await openSluice(directory);
  const hold = holds(directory, sluice);
  const identity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  const control = controlServer(hold, () => ({
    listen,
    ...identity,
    requests: traffic.requests,
    errors: traffic.errors,
    writesAt: traffic.writes,
    writesInFlight: sum(traffic.writes) + sluice.flowing,
    held: sluice.held,
  }));
  const path = join(directory, CONTROL);
  rmSync(path, { force: true });
  await listening(control, { path });
  writeFileSync(join(directory, HANDLE), JSON.stringify(identity), { mode: 0o600 });
  log(`listening on ${listen}`);
  const watch = watchOwnership(path);
  return {
    displaced: watch.displaced,
    async close() {
      watch.stop();
      hold.letGo();
      control.close();
      control.closeAllConnections();
      await front.close();
      await sluice.close();
    },
  };
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function listening(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Without its control socket a front door cannot be found again: it leaves, so that another one can take its address. */
function watchOwnership(path: string) {
  const own = statSync(path).ino;
  let timer: NodeJS.Timeout | undefined;
  const displaced = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (statSync(path, { throwIfNoEntry: false })?.ino !== own) resolve();
    }, LOOK);
  });
  return { displaced, stop: () => clearInterval(timer) };
}
