import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeOf } from '../proc.ts';
import { controlServer } from './control.ts';
import { holds } from './holds.ts';
import { CONTROL, linksIn, WRITES } from './links.ts';
import { listening, watchOwnership } from './ownership.ts';
import { openSluice } from './sluice.ts';
import { Traffic } from './traffic.ts';
import { writesIn } from './writes.ts';

/** Milliseconds that it stays without a hold; and between two looks whether it is still needed. */
const IDLE = 3000;
const LOOK = 50;

/**
 * Holds the writes of an environment whose front door is a web server. Resolves once no hold is in force and what
 * waited has ended at its instance, or soon after the signal; a hold is let go then.
 */
export async function serveSluice(directory: string, signal: AbortSignal, idleMs = IDLE): Promise<void> {
  const traffic = new Traffic();
  const sluice = await openSluice(directory, traffic);
  const hold = holds(linksIn(directory, WRITES), sluice);
  const identity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  const control = controlServer(hold, () => {
    const writesAt = addUp(writesIn(directory), traffic.writes);
    const writesInFlight = Object.values(writesAt).reduce((total, count) => total + count, 0);
    return { ...identity, writesAt, writesInFlight, held: sluice.held };
  });
  await hold.over();
  const path = join(directory, CONTROL);
  rmSync(path, { force: true });
  await listening(control, { path });
  const watch = watchOwnership(path);
  const stop = new AbortController();
  void watch.displaced.then(() => stop.abort());
  const ended = AbortSignal.any([signal, stop.signal]);
  const isNeeded = () => hold.inForce || sluice.held > 0 || traffic.inFlight > 0;
  // Asked before the clock: a hold may have begun since the last look.
  for (
    let neededAt = performance.now();
    !ended.aborted && (isNeeded() || performance.now() - neededAt < idleMs);
  ) {
    if (isNeeded()) neededAt = performance.now();
    await sleep(LOOK);
  }
  watch.stop();
  hold.letGo();
  await hold.over();
  control.close();
  control.closeAllConnections();
  await sluice.close();
}

function addUp(...counts: Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of counts.flatMap((one) => Object.entries(one)))
    sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
