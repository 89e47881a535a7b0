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

/**
 * The one hold that may be in force, and its lease. Every method is one synchronous step, so that nothing comes
 * between the check that a hold is in force and what it entitles to. False: it is not, nothing was done.
 */
export interface Holds {
  begin(request: HoldRequest): boolean;
  renew(id: string): boolean;
  switchTo(id: string, socket: string): boolean;
  release(id: string): boolean;
  /** Ends any hold. */
  letGo(): void;
  readonly inForce: boolean;
}

export function holds(links: Links, sluice: Sluice): Holds {
  let current: { id: string; leaseMs: number; lapsesAt: number; timer: NodeJS.Timeout } | null = null;

  // A predecessor that was killed during a hold left the writes at the sluice.
  if (links.write() === SLUICE) links.pointWritesToLive();

  /** Looks at the clock too: after a pause of the whole process a request may come before the timer. */
  function isInForce(id: string): boolean {
    if (current !== null && performance.now() >= current.lapsesAt) letGo();
    return current?.id === id;
  }

  function letGo(): void {
    if (current === null) return;
    try {
      links.pointWritesToLive();
    } finally {
      // Even on a full disk: an open sluice leads to the live side as well.
      end();
    }
  }

  function end(): void {
    clearTimeout(current?.timer);
    current = null;
    sluice.open();
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
    switchTo(id, socket) {
      if (!isInForce(id) || !links.canPointTo(socket)) return false;
      links.pointBoth(socket);
      end();
      return true;
    },
    release(id) {
      if (!isInForce(id)) return false;
      letGo();
      return true;
    },
    letGo,
    get inForce() {
      return current !== null;
    },
  };
}
