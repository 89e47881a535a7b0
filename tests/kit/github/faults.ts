import type { Answer } from './answer.ts';

/** How a request goes wrong. `lost` and `cut` have their effect, and the answer is not (wholly) seen. */
export type Fault =
  | 'secondary-limit'
  | 'primary-limit'
  | 'too-many-requests'
  | 'server-error'
  | 'bad-gateway'
  | 'unavailable'
  | 'not-json'
  | 'reset'
  | 'cut'
  | 'lost'
  | 'hang';

interface Plan {
  fault: Fault;
  method?: string;
  /** Matches GitHub's path, without the API's prefix. */
  path?: RegExp;
  /** How many requests; Infinity: until `clear`. */
  times?: number;
  /** Seconds, for the limits. */
  retryAfter?: number;
}

export interface Struck {
  fault: Fault;
  retryAfter: number;
}

/** Faults on demand: planned ones first, then what `dice` says. */
export class Faults {
  #plans: (Plan & { times: number })[] = [];
  /** Asked for each request that no plan fits. */
  dice: ((method: string, path: string) => Fault | null) | null = null;

  plan(plan: Plan): void {
    this.#plans.push({ times: 1, ...plan });
  }

  clear(): void {
    this.#plans = [];
    this.dice = null;
  }

  strike(method: string, path: string): Struck | null {
    const plan = this.#plans.find(
      (one) => one.times > 0 && (one.method ?? method) === method && (one.path?.test(path) ?? true),
    );
    if (plan) plan.times -= 1;
    const fault = plan?.fault ?? this.dice?.(method, path) ?? null;
    return fault && { fault, retryAfter: plan?.retryAfter ?? 1 };
  }
}

/** The answers that stand in for the real one; undefined: the fault is one of the connection. */
export function faultAnswer({ fault, retryAfter }: Struck): Answer | undefined {
  const limited = (status: number, message: string, headers: Record<string, string>): Answer => ({
    status,
    headers,
    body: {
      message,
      documentation_url: 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api',
    },
  });
  const secondary =
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.';
  switch (fault) {
    case 'secondary-limit':
      return limited(403, secondary, { 'retry-after': String(retryAfter) });
    case 'too-many-requests':
      return limited(429, secondary, { 'retry-after': String(retryAfter) });
    case 'primary-limit':
      return limited(403, 'API rate limit exceeded for user ID 1.', {
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-used': '5000',
        'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + retryAfter),
        'x-ratelimit-resource': 'core',
      });
    case 'server-error':
      return { status: 500, body: { message: 'Server Error' } };
    case 'bad-gateway':
      return { status: 502, body: { message: 'Server Error' } };
    case 'unavailable':
      return { status: 503, body: { message: 'Service unavailable' } };
    case 'not-json':
      return { status: 200, body: '<html>Unicorn!</html>', headers: { 'content-type': 'text/html' } };
    default:
      return undefined;
  }
}

/** Whether the request takes effect before its answer is spoiled. */
export function hasEffect(fault: Fault): boolean {
  return fault === 'cut' || fault === 'lost';
}
