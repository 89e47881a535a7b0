import { Octokit } from '@octokit/rest';
import type { z } from 'zod';
import { oneLine } from '../../problem.ts';
import type { GitHubSettings } from '../../settings.ts';
import { version } from '../../version.ts';
import { createKeep } from './conditional.ts';
import { createCredentials, type Credentials } from './credentials.ts';
import { GitHubError, readFailure, type Failure } from './failure.ts';
import type { Health } from './health.ts';
import { createPace, type Time } from './pace.ts';

/** Refused access is mended by a person: asked for again this often, so that reports go on soon after. */
const MENDED_MS = 30_000;
/** When GitHub does not say how long its secondary limit lasts; doubled each time. */
const SECONDARY_MS = 60_000;
const LONGEST_SECONDARY_MS = 3_600_000;

type Answer = Awaited<ReturnType<Octokit['request']>>;

/** One repository on GitHub, or on an Enterprise Server. */
export interface GitHub {
  /** Every request throws `GitHubError`, keeps GitHub's limits and has a deadline; what it answers is not parsed yet. */
  rest: Octokit['rest'];
  request: Octokit['request'];
  /** Every route begins with these. */
  at: { owner: string; repo: string };
  credentials: Credentials;
}

export function connect(options: {
  settings: GitHubSettings;
  health: Health;
  clock: () => Date;
  time: Time;
  /** For each request, its answer's body included. */
  deadlineMs: number;
  /** Ends what is under way. */
  signal: AbortSignal;
}): GitHub {
  const { settings, health, clock, time, deadlineMs, signal } = options;
  const [owner = '', repo = ''] = settings.repository.split('/');
  const octokit = new Octokit({
    baseUrl: settings.apiUrl,
    userAgent: `deployer/${version()}`,
    // What it would say on the console is in the errors.
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const credentials = createCredentials({ settings, request: octokit.request });
  const pace = createPace({ time, signal });
  const keep = createKeep<Answer>();
  const limit = createLimit(clock);

  octokit.hook.wrap('request', async (request, asked) => {
    limit.check();
    // The App's own requests bring theirs. Hooks change a request in place: octokit passes on no other.
    asked.headers.authorization ??= `token ${await credentials.token()}`;
    const send = async (headers: Record<string, string> = {}): Promise<Answer> => {
      Object.assign(asked.headers, headers);
      asked.request.signal = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
      return whole(await request(asked));
    };
    const isConditional = asked.request['conditional'] === true;
    const ask = isConditional ? () => keep(octokit.request.endpoint(asked).url, send) : send;
    const isChange = asked.method !== 'GET' && asked.url.startsWith('/repos/');
    const judged = () => judge(asked, () => ask());
    return isChange ? await pace.turn(judged) : await pace.ask(judged, asked.method !== 'GET');
  });

  /** What the answer says of GitHub, for those who ask next. */
  async function judge(asked: { method: string; url: string }, ask: () => Promise<Answer>): Promise<Answer> {
    const operation = `${asked.method} ${asked.url.replace(settings.apiUrl, '')}`;
    try {
      const answer = await ask();
      health.answered(operation);
      if (asked.method !== 'GET') limit.passed();
      return answer;
    } catch (error) {
      if (error instanceof GitHubError) throw error;
      const failure = readFailure(error, clock());
      health.failed(operation, failure);
      if (failure.kind === 'unauthorized') credentials.renew();
      throw decide(failure, limit, error);
    }
  }
  return { rest: octokit.rest, request: octokit.request, at: { owner, repo }, credentials };
}

function decide(failure: Failure, limit: ReturnType<typeof createLimit>, cause: unknown): GitHubError {
  const { kind, status, message } = failure;
  const waits = {
    limited: () => ({
      retryAfterMs: limit.reached(kind === 'limited' ? failure.waitMs : null),
      pausesAll: true,
    }),
    unauthorized: () => ({ retryAfterMs: MENDED_MS, pausesAll: true }),
    forbidden: () => ({ retryAfterMs: MENDED_MS }),
    unreachable: () => ({}),
    final: () => ({}),
  };
  // 409 is what others are doing just now, 408 a pause on the way.
  const retryable = kind !== 'final' || status === 409 || status === 408;
  return new GitHubError(message, { status, cause, retryable, ...waits[kind]() });
}

/** A body that was cut off is text to octokit, or nothing at all, and an answer like any other. */
function whole(answer: Answer): Answer {
  const hasBody = answer.status === 200 || answer.status === 201;
  if (!hasBody || (typeof answer.data === 'object' && answer.data !== null)) return answer;
  throw new GitHubError(`GitHub's answer (${answer.status}) was cut off`, { status: null, retryable: true });
}

/** While a limit is reached nothing is asked at all: asking on makes it longer. */
function createLimit(clock: () => Date) {
  let until = 0;
  let length = 0;
  let inARow = 0;
  return {
    check(): void {
      const left = until - clock().getTime();
      // More than it ever was: the clock was set back.
      if (left <= 0 || left > length) return;
      const message = `GitHub's limit is reached: asked again in ${Math.ceil(left / 1000)} s`;
      throw new GitHubError(message, { status: null, retryable: true, retryAfterMs: left, pausesAll: true });
    },
    /** @returns the milliseconds to wait */
    reached(waitMs: number | null): number {
      const wait = waitMs ?? Math.min(SECONDARY_MS * 2 ** inARow, LONGEST_SECONDARY_MS);
      if (waitMs === null) inARow += 1;
      until = clock().getTime() + wait;
      length = wait;
      return wait;
    },
    passed(): void {
      inARow = 0;
    },
  };
}

/**
 * What GitHub answered, parsed like any input from outside.
 * @throws GitHubError, to be asked again
 */
export function parsed<T>(schema: z.ZodType<T>, { status, data }: { status: number; data: unknown }): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'its body';
  const message = `GitHub's answer (${status}) cannot be read: ${oneLine(`${where}: ${result.error.issues[0]?.message}`, 120)}`;
  throw new GitHubError(message, { status: null, retryable: true });
}

/** More pages than any list that is looked through here; what is older does not matter. */
const MOST_PAGES = 50;

/** All entries of a list that comes in pages of 100. */
export async function everyPage<T>(
  schema: z.ZodType<T[]>,
  ask: (page: {
    page: number;
    per_page: number;
  }) => Promise<{ status: number; data: unknown; headers: { link?: string | undefined } }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await ask({ page, per_page: 100 });
    all.push(...parsed(schema, answer));
    if (!/rel="next"/.test(answer.headers.link ?? '')) break;
  }
  return all;
}

/** null instead of GitHub's 404. */
export async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof GitHubError && error.status === 404) return null;
    throw error;
  }
}
