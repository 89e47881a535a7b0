import { join } from 'node:path';
import { putMode } from '../mode.ts';
import { SLUICE, type Links } from './links.ts';
import type { Sluice } from './sluice.ts';

/** Durations in milliseconds. */
interface HoldRequest {
  id: string;
  /** Without a renewal for this long the hold lapses. */
  leaseMs: number;
  /** How long a single write waits at most. */
  limitMs: number;
}

/** Milliseconds; what does not answer has no such mode, or has ended. */
const MODE_ANSWER = 1000;

/**
 * The one hold that may be in force, and its lease. Checking that it is, and doing what that entitles to, is one
 * synchronous step: nothing comes between. False: it is not, nothing was done.
 */
export interface Holds {
  begin(request: HoldRequest): boolean;
  renew(id: string): boolean;
  /** Makes the live side read-only, its jobs included, until the hold ends without a switch. */
  quiet(id: string): Promise<boolean>;
  /** Resolves once the writes flow to the new side. @throws what kept the switch from being on disk; it is made then */
  switchTo(id: string, socket: string): Promise<boolean>;
  release(id: string): boolean;
  /** Ends any hold. */
  letGo(): void;
  /** Resolves once the live side writes again after a hold, and the writes flow: the next one begins after that. */
  over(): Promise<unknown>;
  readonly inForce: boolean;
}

export function holds(links: Links, sluice: Sluice): Holds {
  let current: { id: string; leaseMs: number; lapsesAt: number; timer: NodeJS.Timeout } | null = null;
  /** The socket of the side that was made read-only. */
  let quiet: string | null = null;
  /** What the next hold has to wait for, one after the other; it never fails. */
  let ending: Promise<unknown> = Promise.resolve();

  // A predecessor that was killed during a hold left the writes at the sluice, and perhaps the live side read-only.
  if (links.write() === SLUICE) {
    sluice.shut(MODE_ANSWER * 2);
    quiet = links.live();
    giveBack();
  }

  /** Looks at the clock too: after a pause of the whole process a request may come before the timer. */
  function isInForce(id: string): boolean {
    if (current !== null && performance.now() >= current.lapsesAt) letGo();
    return current?.id === id;
  }

  function letGo(): void {
    if (current === null) return;
    end();
    giveBack();
  }

  function end(): void {
    clearTimeout(current?.timer);
    current = null;
  }

  /** The live side writes again before anybody is let to it. */
  function giveBack(): void {
    const silenced = quiet;
    quiet = null;
    if (silenced === null) return letFlow();
    ending = letWrite(ending, silenced);
  }

  async function letWrite(earlier: Promise<unknown>, silenced: string): Promise<void> {
    await earlier;
    await putMode(join(links.directory, silenced), false, MODE_ANSWER);
    try {
      letFlow();
    } catch {
      // A full disk: the writes reach the live side by the open sluice, and the supervisor re-points them.
    }
  }

  function letFlow(): void {
    try {
      links.pointWritesToLive();
    } finally {
      // Even on a full disk: an open sluice leads to the live side as well.
      sluice.open();
    }
  }

  return {
    begin({ id, leaseMs, limitMs }) {
      if (current !== null && isInForce(current.id)) return false;
      links.pointWritesToSluice();
      sluice.shut(limitMs);
      current = { id, leaseMs, lapsesAt: performance.now() + leaseMs, timer: setTimeout(letGo, leaseMs) };
      return true;
    },
    renew(id) {
      if (!isInForce(id) || current === null) return false;
      current.lapsesAt = performance.now() + current.leaseMs;
      current.timer.refresh();
      return true;
    },
    async quiet(id) {
      if (!isInForce(id)) return false;
      // Noted before: a hold that ends meanwhile takes it back, after it.
      quiet = links.live();
      if (quiet !== null) {
        ending = putMode(join(links.directory, quiet), true, MODE_ANSWER);
        await ending;
      }
      return isInForce(id);
    },
    async switchTo(id, socket) {
      if (!isInForce(id) || !links.canPointTo(socket)) return false;
      links.pointReads(socket);
      // What was live stays read-only: nobody sees its data any more.
      quiet = null;
      end();
      const flowing = links.toDisk().finally(letFlow);
      ending = flowing.catch(() => undefined);
      await flowing;
      return true;
    },
    release(id) {
      if (!isInForce(id)) return false;
      letGo();
      return true;
    },
    letGo,
    over() {
      if (current !== null) isInForce(current.id);
      return ending;
    },
    get inForce() {
      return current !== null;
    },
  };
}
