import { writeFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../problem.ts';

/** A tenth of the processor's time that others get, when there is too little of it. */
const GIVES_WAY = 10;
/** The kernel takes one such wish in 100 ms from those that are not root. */
const AGAIN_MS = 110;
const MOST_TRIES = 5;

/**
 * Lets a process that was just started, with all that it starts, give way to those that visitors wait for. On a machine
 * with time to spare it is no slower. Where that is not to be had, nothing is done.
 */
export function giveWay(pid: number): void {
  try {
    setPriority(pid, Math.max(getPriority(pid), GIVES_WAY));
  } catch {
    return;
  }
  void giveWayAsSession(pid).catch(() => undefined);
}

/** Where Linux shares the processor among sessions, a priority says nothing outside of its own (sched(7), "The autogroup feature"). */
async function giveWayAsSession(pid: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await writeFile(`/proc/${pid}/autogroup`, String(GIVES_WAY));
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN' || tries >= MOST_TRIES) throw error;
      await sleep(AGAIN_MS, undefined, { ref: false });
    }
  }
}
