import type { FrontDoor } from '../host/types.ts';

type Counters = Pick<Awaited<ReturnType<FrontDoor['counters']>>, 'requests' | 'errors'>;

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
