import type { FrontDoor } from '../host/types.ts';

type Counters = Pick<Awaited<ReturnType<FrontDoor['counters']>>, 'requests' | 'errors'>;

/** Fewer answers say nothing about a rate, unless all of them failed. */
const FEWEST_REQUESTS = 20;
const FEWEST_FAILED = 5;
/** A share of failed answers up to which nothing is wrong, and how much worse than before counts as worse. */
const MOST_ERRORS = 0.05;
const WORSE = 3;

/** Whether a release fails more often than the one before, of whose answers `usual` failed, 0 to 1. */
export function isWorse({ requests, errors }: Counters, usual: number): boolean {
  const tells = requests >= FEWEST_REQUESTS || (errors === requests && requests >= FEWEST_FAILED);
  return tells && errors / requests > Math.max(MOST_ERRORS, usual * WORSE);
}

/** How each environment's requests are answered, release by release; forgotten with the daemon, and then nothing was usual. */
export class ErrorRates {
  readonly #since = new Map<string, Counters>();

  /** Another release is live from now on. Returns the share of errors, 0 to 1, under the one before. */
  begin(environment: string, now: Counters): number {
    const since = this.#since.get(environment) ?? { requests: 0, errors: 0 };
    this.#since.set(environment, now);
    // A front door that was started anew counts from zero.
    const requests = now.requests - since.requests;
    return requests > 0 ? Math.max(0, now.errors - since.errors) / requests : 0;
  }
}
