import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { createGunzip } from 'node:zlib';
import { Refusal } from './answer.ts';
import { permits, type Access } from './credentials.ts';
import type { World } from './world.ts';

/** Git's smart HTTP by `git http-backend` (CGI): what GitHub speaks at `/owner/name.git`. */

/** @returns whether the request is one of git's for this repository */
export function isGit(world: World, path: string): boolean {
  return path.startsWith(`/${world.fullName}.git/`);
}

/** Answers, and tells by webhooks what a push has moved. */
export async function serveGit(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  violate: (what: string) => void,
): Promise<number> {
  const url = new URL(request.url ?? '/', world.origin);
  const isPush =
    url.searchParams.get('service') === 'git-receive-pack' || url.pathname.endsWith('/git-receive-pack');
  const access = authenticate(world, request, violate);
  if (!access || !permits(access, ['contents', isPush ? 'write' : 'read'])) {
    const status = access ? 403 : 401;
    response.writeHead(status, {
      'content-type': 'text/plain',
      ...(!access && { 'www-authenticate': 'Basic realm="GitHub"' }),
    });
    response.end(access ? 'Write access to repository not granted.\n' : 'Repository not found.\n');
    return status;
  }
  const output = await runBackend(world, url, request);
  // Its webhooks are on their way before the developer reads the answer, so that a test knows which push they are of.
  if (isPush && request.method === 'POST') await world.observe(access.login);
  return answer(output, response);
}

function authenticate(
  world: World,
  request: IncomingMessage,
  violate: (what: string) => void,
): Access | null {
  const header = request.headers.authorization;
  // git asks without credentials first.
  if (header === undefined) return null;
  const basic = /^basic (.+)$/i.exec(header)?.[1];
  const user = Buffer.from(basic ?? '', 'base64')
    .toString('utf8')
    .split(':')[0];
  if (user !== 'x-access-token') violate(`git authenticates as ${JSON.stringify(user)}, not x-access-token`);
  try {
    return world.credentials.authenticate(header);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function runBackend(world: World, url: URL, request: IncomingMessage): Promise<Buffer> {
  const { directory } = world.bare;
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: dirname(directory),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname.replace(`/${world.fullName}.git`, `/${directory.split('/').at(-1)}`),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'somebody',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  const zipped = request.headers['content-encoding'] === 'gzip';
  (zipped ? request.pipe(createGunzip()) : request).pipe(child.stdin);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** A CGI program's headers, an empty line, the body. */
function answer(output: Buffer, response: ServerResponse): number {
  const end = output.indexOf('\r\n\r\n');
  const headers = output.subarray(0, end).toString('latin1').split('\r\n');
  let status = 200;
  for (const line of headers) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3));
    else if (name) response.setHeader(name, value);
  }
  response.statusCode = status;
  response.end(output.subarray(end + 4));
  return status;
}
