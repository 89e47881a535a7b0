import { z } from 'zod';
import { oneLine } from '../../problem.ts';
import { ForgeError } from '../types.ts';

/** What GitHub's refusals mean: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */

/** A request to GitHub failed; `status` is null when no answer came, or one that cannot be read. */
export class GitHubError extends ForgeError {
  override name = 'GitHubError';
  readonly status: number | null;
  constructor(
    message: string,
    options: ConstructorParameters<typeof ForgeError>[1] & { status: number | null },
  ) {
    super(message, options);
    this.status = options.status;
  }
}

/** Why a request failed, as far as it matters for what to do next. */
export type Failure = { message: string; status: number | null } & (
  | { kind: 'unreachable' | 'unauthorized' | 'final' }
  /** `accepted`: the permissions that GitHub names as sufficient, such as `statuses=write`. */
  | { kind: 'forbidden'; accepted: string | null }
  /** `waitMs` is null when GitHub does not say how long. */
  | { kind: 'limited'; waitMs: number | null }
);

// What @octokit/request-error throws; a failed connection is a status 500 without a response.
const requestError = z.object({
  message: z.string(),
  status: z.number(),
  response: z
    .object({ headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()) })
    .optional(),
});

export function readFailure(error: unknown, now: Date): Failure {
  const parsed = requestError.safeParse(error);
  if (!parsed.success || !parsed.data.response) {
    return { kind: 'unreachable', status: null, message: `GitHub cannot be reached: ${oneLine(error, 200)}` };
  }
  const { status, response } = parsed.data;
  const message = `GitHub answered ${status}: ${oneLine(parsed.data.message, 200)}`;
  const header = (name: string) => response.headers[name]?.toString() ?? null;
  if (status >= 500) return { kind: 'unreachable', status, message };
  if (status === 401) return { kind: 'unauthorized', status, message };
  if (status !== 403 && status !== 429) return { kind: 'final', status, message };
  const waitMs = waitOf(header, now);
  if (status === 429 || waitMs !== null || /secondary rate limit|abuse detection/i.test(message))
    return { kind: 'limited', status, message, waitMs };
  return { kind: 'forbidden', status, message, accepted: header('x-accepted-github-permissions') };
}

/** Milliseconds that the answer asks us to wait, or null. */
function waitOf(header: (name: string) => string | null, now: Date): number | null {
  const after = header('retry-after');
  if (after !== null && /^\d+$/.test(after)) return Math.max(Number(after), 1) * 1000;
  const reset = header('x-ratelimit-reset');
  if (header('x-ratelimit-remaining') !== '0' || reset === null || !/^\d+$/.test(reset)) return null;
  // By GitHub's own clock: ours may be wrong.
  const at = Date.parse(header('date') ?? '') || now.getTime();
  return Math.max(Number(reset) * 1000 - at, 1000);
}
