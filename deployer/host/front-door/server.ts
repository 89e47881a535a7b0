import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseListen } from '../ports.ts';
import { startTimeOf } from '../proc.ts';
import { controlServer } from '../sluice/control.ts';
import { holds } from '../sluice/holds.ts';
import { CONTROL, HANDLE, linksIn } from '../sluice/links.ts';
import { listening, watchOwnership } from '../sluice/ownership.ts';
import { openSluice } from '../sluice/sluice.ts';
import { Traffic } from '../sluice/traffic.ts';
import { visitors } from './visitors.ts';

/** Milliseconds. */
const UPLOAD_IDLE = 60_000;

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
  const sluice = await openSluice(directory, traffic);
  const hold = holds(linksIn(directory), sluice);
  const identity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  const control = controlServer(hold, () => ({
    listen,
    ...identity,
    requests: traffic.requests,
    errors: traffic.errors,
    writesAt: traffic.writes,
    writesInFlight: traffic.inFlight,
    held: sluice.held,
  }));
  // Whoever finds it there finds the writes that a predecessor held flowing.
  await hold.over();
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
      await hold.over();
      control.close();
      control.closeAllConnections();
      await front.close();
      await sluice.close();
    },
  };
}
