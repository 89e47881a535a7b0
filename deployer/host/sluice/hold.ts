import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, oneLine } from '../../problem.ts';
import { putMode } from '../mode.ts';
import type { Hold } from '../types.ts';
import { ask, ifUnreachable, whenUnreachable } from './control-client.ts';
import { SLUICE, type Links } from './links.ts';

/** Milliseconds. */
const LOOK = 10;
const MODE_ANSWER = 1000;

/** @throws FailedError when the writes are held already, or nobody is there to hold them */
export async function holdIn(
  links: Links,
  environment: string,
  options: { leaseMs: number; limitMs: number },
): Promise<Hold> {
  const id = randomUUID();
  const begun = await ask(links.directory, '/hold', { id, ...options }).catch(
    whenUnreachable((error): never => {
      throw new FailedError(`the front door of ${environment} is not running: ${oneLine(error)}`);
    }),
  );
  if (begun === null)
    throw new FailedError(`the writes of ${environment} are already held by another deployment`);
  return holdOf(links, id);
}

function holdOf(links: Links, id: string): Hold {
  const { directory } = links;
  const renew = () => ask(directory, '/renew', { id }).catch(ifUnreachable(null));
  return {
    renew: async () => (await renew()) !== null,
    drained: (deadlineMs) => noneLeft(async () => (await renew())?.writesInFlight ?? null, deadlineMs),
    async quiet() {
      await ask(directory, '/quiet', { id }).catch(ifUnreachable(null));
    },
    async switchTo(socket) {
      // When the process ended before it answered, the link says whether it came to the switch.
      const pointed = async () => links.live() === socket;
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

/**
 * Whether a count has come down to zero before the deadline, seen twice in a row: the kernel's table is read in pieces,
 * and a connection may be made with what a link said a moment ago. Null: it cannot be counted any more.
 */
export async function noneLeft(count: () => Promise<number | null>, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  for (let seen = 0; ;) {
    const left = await count();
    if (left === null) return false;
    seen = left === 0 ? seen + 1 : 0;
    if (seen === 2) return true;
    if (seen === 0 && performance.now() >= deadline) return false;
    await sleep(LOOK);
  }
}

/** Gives the writes back where they point to a sluice that is gone. */
export async function giveBackAbandoned(links: Links): Promise<void> {
  if (links.write() !== SLUICE) return;
  const there = await ask(links.directory, '/state').catch(ifUnreachable(null));
  if (there !== null || links.write() !== SLUICE) return;
  const live = links.live();
  if (live !== null) await putMode(join(links.directory, live), false, MODE_ANSWER);
  links.pointWritesToLive();
}
