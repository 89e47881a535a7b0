import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { notFound, Refusal, type Answer } from './answer.ts';
import { demand } from './credentials.ts';
import { match, type Endpoint } from './endpoint.ts';
import { APPS } from './endpoints/apps.ts';
import { DEPLOYMENTS } from './endpoints/deployments.ts';
import { GIT } from './endpoints/git.ts';
import { HOOKS } from './endpoints/hooks.ts';
import { ISSUES } from './endpoints/issues.ts';
import { PULLS } from './endpoints/pulls.ts';
import { REPOSITORIES } from './endpoints/repositories.ts';
import { STATUSES } from './endpoints/statuses.ts';
import { faultAnswer, hasEffect, type Faults, type Struck } from './faults.ts';
import { isGit, serveGit } from './git-http.ts';
import { REPOSITORY_ID } from './shapes.ts';
import type { World } from './world.ts';

/** STATUSES before REPOSITORIES: `/commits/{ref}/status` is more than a ref with a slash. */
const ENDPOINTS: readonly Endpoint[] = [
  ...STATUSES,
  ...REPOSITORIES,
  ...DEPLOYMENTS,
  ...GIT,
  ...PULLS,
  ...ISSUES,
  ...HOOKS,
  ...APPS,
];
const API = '/api/v3';

/** One request as it came, and what was answered (0: nothing). */
export interface Recorded {
  at: number;
  method: string;
  /** Without the API's prefix; git's own requests begin with the repository. */
  path: string;
  /** GitHub's template, where one matched. */
  template: string | null;
  query: Record<string, string>;
  body: unknown;
  status: number;
}

export interface Surroundings {
  world: World;
  faults: Faults;
  requests: Recorded[];
  /** What GitHub would not have taken, or would have ignored. */
  violations: string[];
}

export function createGitHubServer(around: Surroundings): Server {
  return createServer((request, response) => {
    serve(around, request, response).catch((error: unknown) => {
      around.violations.push(
        `the double itself failed: ${error instanceof Error ? error.stack : String(error)}`,
      );
      response.destroy();
    });
  });
}

async function serve(
  around: Surroundings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { world, faults, requests } = around;
  const url = new URL(request.url ?? '/', world.origin);
  const method = request.method ?? 'GET';
  const path = url.pathname
    .replace(API, '')
    .replace(`/repositories/${REPOSITORY_ID}`, `/repos/${world.fullName}`);
  const violate = (what: string) => around.violations.push(`${method} ${path}: ${what}`);
  const record: Recorded = {
    at: Date.now(),
    method,
    path,
    template: null,
    query: Object.fromEntries(url.searchParams),
    body: undefined,
    status: 0,
  };
  requests.push(record);
  const struck = faults.strike(method, path);
  const moved = movedTo(world, url, method);
  if (moved) return send(request, response, moved, record);
  if (isGit(world, url.pathname)) {
    const planned = struck && faultAnswer(struck);
    if (planned) return send(request, response, planned, record);
    if (struck) return void request.socket.destroy();
    record.status = await serveGit(world, request, response, violate);
    return;
  }
  record.body = await readBody(request, violate);
  keep(record);
  if (struck && !hasEffect(struck.fault)) return spoil(request, response, struck, record);
  const answer = await decide(world, request, url, record, violate);
  if (struck?.fault === 'lost') return void request.socket.destroy();
  if (struck) return cut(response, answer, record);
  send(request, response, answer, record);
}

/** For `npm run check:openapi`. */
function keep({ method, path, query, body }: Recorded): void {
  const file = process.env['GITHUB_REQUESTS'];
  if (file) appendFileSync(file, `${JSON.stringify({ method, path, query, body })}\n`);
}

async function decide(
  world: World,
  request: IncomingMessage,
  url: URL,
  record: Recorded,
  violate: (what: string) => void,
): Promise<Answer> {
  try {
    if (!url.pathname.startsWith(`${API}/`)) throw violated(violate, 'is no path of the API');
    if (!request.headers['user-agent']) throw violated(violate, 'has no User-Agent', 403);
    if (!/application\/(vnd\.github[.\w+-]*|json)/.test(request.headers.accept ?? ''))
      violate(`Accept: ${request.headers.accept}`);
    const access = world.credentials.authenticate(request.headers.authorization);
    const found = match(ENDPOINTS, record.method, record.path);
    if (!found) throw violated(violate, 'there is no such endpoint');
    record.template = found.endpoint.template;
    const { owner, repo } = found.params;
    // A repository that one may not see is not there.
    if (owner !== undefined && `${owner}/${repo}`.toLowerCase() !== world.fullName.toLowerCase())
      throw notFound();
    demand(access, found.endpoint.permission);
    return await found.endpoint.handle(
      { world, params: found.params, body: record.body, url, access },
      violate,
    );
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

/** A repository that was renamed: `https://docs.github.com/rest`, "Follow redirects"; git is led on alike. */
function movedTo(world: World, url: URL, method: string): Answer | null {
  const api = /^\/api\/v3\/repos\/([^/]+\/[^/]+)(.*)$/.exec(url.pathname);
  const git = /^\/([^/]+\/[^/]+)\.git(\/.*)$/.exec(url.pathname);
  const [, name = '', rest = ''] = api ?? git ?? [];
  if (!world.formerNames.some((former) => former.toLowerCase() === name.toLowerCase())) return null;
  const location = api
    ? `${world.origin}${API}/repositories/${REPOSITORY_ID}${rest}${url.search}`
    : `${world.origin}/${world.fullName}.git${rest}${url.search}`;
  return {
    status: method === 'GET' ? 301 : 307,
    headers: { location },
    body: { message: 'Moved Permanently', url: location, documentation_url: 'https://docs.github.com/rest' },
  };
}

function violated(violate: (what: string) => void, what: string, status = 404): Refusal {
  violate(what);
  return new Refusal(status, status === 404 ? 'Not Found' : what);
}

async function readBody(request: IncomingMessage, violate: (what: string) => void): Promise<unknown> {
  const text = (await Array.fromAsync(request as AsyncIterable<Buffer>)).map(String).join('');
  if (text === '') return undefined;
  if (!request.headers['content-type']?.startsWith('application/json'))
    violate('body without Content-Type: application/json');
  try {
    return JSON.parse(text);
  } catch {
    violate('the body is not JSON');
    return undefined;
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, record: Recorded): void {
  const text =
    answer.body === undefined
      ? ''
      : typeof answer.body === 'string'
        ? answer.body
        : JSON.stringify(answer.body);
  const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`;
  const known =
    request.method === 'GET' && answer.status === 200 && request.headers['if-none-match'] === etag;
  record.status = known ? 304 : answer.status;
  response.writeHead(record.status, {
    'content-type': 'application/json; charset=utf-8',
    'x-github-request-id': record.at.toString(16),
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4990',
    'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 3600),
    'x-ratelimit-used': '10',
    'x-ratelimit-resource': 'core',
    ...(answer.status === 200 && request.method === 'GET' && { etag }),
    ...answer.headers,
  });
  response.end(known ? '' : text);
}

/** What happens instead of the real answer; `hang` waits for the client to give up. */
function spoil(request: IncomingMessage, response: ServerResponse, struck: Struck, record: Recorded): void {
  const planned = faultAnswer(struck);
  if (planned) send(request, response, planned, record);
  else if (struck.fault === 'reset') request.socket.destroy();
}

/** The effect is there, and half of its answer. */
function cut(response: ServerResponse, answer: Answer, record: Recorded): void {
  const text = JSON.stringify(answer.body ?? null);
  record.status = answer.status;
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}
