import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FailedError, RefusedError } from '../../../deployer/problem.ts';
import { endpoints } from '../../../deployer/web/endpoints.ts';
import { problem } from '../../../deployer/web/schemas.ts';
import { TOKEN, serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addEnvironment('dev');
  web.operations.addEnvironment('prod');
});
afterEach(() => web.close());

const authorization = `Bearer ${TOKEN}`;

function change(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return fetch(web.url + path, {
    method,
    headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const body = problem.parse(await response.json());
  expect(body.status).toBe(response.status);
  return body;
}

describe('reading', () => {
  it('tells every environment, or one', async () => {
    const all = await fetch(`${web.url}/api/environments`);
    expect(await all.json()).toMatchObject({ environments: [{ name: 'dev' }, { name: 'prod' }] });
    const one = await fetch(`${web.url}/api/environments/prod`);
    expect(await one.json()).toMatchObject({ name: 'prod', live: null, quarantined: [] });
  });

  it('pages through the deployments, newest first', async () => {
    for (const id of ['d1', 'd2', 'd3']) web.operations.addDeployment({ id });
    const first = await (await fetch(`${web.url}/api/deployments?environment=dev&limit=2`)).json();
    expect(first).toMatchObject({ deployments: [{ id: 'd3' }, { id: 'd2' }], next: '2' });
    expect(first).not.toHaveProperty('deployments.0.stages');
    const second = await (await fetch(`${web.url}/api/deployments?limit=2&cursor=2`)).json();
    expect(second).toMatchObject({ deployments: [{ id: 'd1' }], next: null });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'colour=red',
    'outcome=great',
    'commit=../x',
    'limit=1&limit=2',
  ])('refuses the query %s as malformed', async (query) => {
    expect((await problemOf(await fetch(`${web.url}/api/deployments?${query}`))).status).toBe(400);
  });

  it('starts no program of the branch for whoever has no token, also on loopback', async () => {
    const response = await fetch(`${web.url}/api/environments/dev/migrations`);
    expect((await problemOf(response)).status).toBe(401);
    expect(web.operations.asked).toEqual([]);
    expect(await (await fetch(`${web.url}/api/openapi.json`)).json()).toMatchObject({
      paths: { '/api/environments/{environment}/migrations': { get: { security: [{ token: [] }] } } },
    });
  });

  it('answers migrations, backups and the audit trail of an environment', async () => {
    await change('POST', '/api/environments/dev/backups');
    const get = async (what: string) => (await change('GET', `/api/environments/dev/${what}`)).json();
    expect(await get('migrations')).toMatchObject({ applied: ['001_first'], pending: ['002_second'] });
    expect(await get('backups')).toMatchObject({ backups: [{ kind: 'manual' }] });
    expect(await get('audit')).toMatchObject({ entries: [{ actor: 'cli:alice' }] });
  });

  it.each([
    '/api/environments/nope',
    '/api/environments/nope/backups',
    '/api/environments/No%2Fpe',
    '/api/deployments/nope',
    '/api/deployments/nope/log',
    '/api/deployments/..%2f..%2fetc',
    '/api/nothing',
  ])('answers %s with 404 and a problem', async (path) => {
    expect((await problemOf(await fetch(web.url + path))).status).toBe(404);
  });

  it('sends the log as text', async () => {
    web.operations.addDeployment({ id: 'd1', outcome: 'deployed' });
    web.operations.addLine('d1', 'fetch: ok');
    web.operations.addLine('d1', '<b>boot</b>');
    const response = await fetch(`${web.url}/api/deployments/d1/log`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toBe('fetch: ok\n<b>boot</b>\n');
  });
});

describe('changing', () => {
  it('stores a deployment and answers 202 with its address', async () => {
    const body = { commit: 'abcd1234', override: true, reason: 'release day' };
    const response = await change('POST', '/api/environments/dev/deployments', body, {
      'x-requested-by': 'cli:alice',
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/api/deployments/d1');
    expect(await response.json()).toMatchObject({ id: 'd1', outcome: null });
    expect(web.operations.asked).toEqual([
      { verb: 'deploy', with: { environment: 'dev', ...body, by: 'cli:alice' } },
    ]);
    const there = await fetch(web.url + String(response.headers.get('location')));
    expect(await there.json()).toMatchObject({ id: 'd1' });
  });

  it.each([
    ['promotions', { from: 'dev' }, 'promote', { from: 'dev', to: 'prod', by: 'api' }],
    ['rollback', {}, 'rollback', { environment: 'prod', target: { last: true }, by: 'api' }],
    ['rollback', { last: true }, 'rollback', { environment: 'prod', target: { last: true }, by: 'api' }],
    [
      'rollback',
      { commit: 'abcd' },
      'rollback',
      { environment: 'prod', target: { commit: 'abcd' }, by: 'api' },
    ],
    [
      'rollback',
      { version: 'v2026.11.20', restoreBackup: true, reason: 'bad' },
      'rollback',
      {
        environment: 'prod',
        target: { version: 'v2026.11.20' },
        restoreBackup: true,
        reason: 'bad',
        by: 'api',
      },
    ],
    ['rehearsals', {}, 'rehearse', { environment: 'prod', by: 'api' }],
  ])('asks for %s %o', async (path, body, verb, asked) => {
    const response = await change('POST', `/api/environments/prod/${path}`, body);
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/api/deployments/d1');
    expect(web.operations.asked).toEqual([{ verb, with: asked }]);
  });

  it('runs the suites and answers the report with the address of the environment', async () => {
    const checks = [
      { name: 'c', success: false, expected: '1', actual: '2', hint: null, location: 'a.ts:1' },
    ];
    web.operations.verification = {
      success: false,
      suites: [{ name: 'routes', success: false, durationMs: 5, checks }],
    };
    const response = await change('POST', '/api/environments/dev/verify', { suites: ['routes'] });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/api/environments/dev');
    expect(await response.json()).toEqual(web.operations.verification);
  });

  it('locks and unlocks, and answers the environment', async () => {
    const locked = await change('POST', '/api/environments/dev/lock', { reason: 'release day' });
    expect(await locked.json()).toMatchObject({
      name: 'dev',
      lock: { reason: 'release day', holder: 'api' },
    });
    const again = await problemOf(await change('POST', '/api/environments/dev/lock', { reason: 'me too' }));
    expect(again).toMatchObject({ status: 409, outcome: 'refused' });
    const free = await change('DELETE', '/api/environments/dev/lock');
    expect(free.status).toBe(202);
    expect(await free.json()).toMatchObject({ lock: null });
  });

  it.each([
    ['deployments', { colour: 'red' }, 'colour'],
    ['deployments', { branch: 'a', commit: 'abcd' }, 'either a branch or a commit'],
    ['deployments', { override: true }, 'reason: an override needs a reason'],
    ['deployments', { commit: '--upload-pack' }, 'commit'],
    ['deployments', { reason: 'two\nlines' }, 'reason: expected one line'],
    ['promotions', {}, 'from'],
    ['promotions', { from: 'nope' }, 'there is no environment nope'],
    ['rollback', { last: true, commit: 'abcd' }, 'one of last, commit and version'],
    ['lock', { reason: '  ' }, 'reason'],
    ['verify', { suites: 'all' }, 'suites'],
  ])('answers 400 to %s with %o', async (path, body, detail) => {
    const answer = await problemOf(await change('POST', `/api/environments/dev/${path}`, body));
    expect(answer.status).toBe(400);
    expect(answer.detail).toContain(detail);
    expect(web.operations.deploymentsById.size).toBe(0);
  });

  it('answers 405 to another method, and says which there are', async () => {
    const response = await change('PATCH', '/api/environments/dev/lock');
    expect(response.headers.get('allow')).toBe('POST, DELETE');
    expect((await problemOf(response)).status).toBe(405);
  });

  it('answers 404 where the environment of the address is unknown', async () => {
    expect((await problemOf(await change('POST', '/api/environments/nope/deployments'))).status).toBe(404);
  });

  it('takes JSON only, well-formed, and at most 100 kB', async () => {
    const path = '/api/environments/dev/deployments';
    const status = async (body: string, type?: string) =>
      (await problemOf(await change('POST', path, body, type ? { 'content-type': type } : {}))).status;
    expect(await status('{')).toBe(400);
    expect(await status('branch=x', 'application/x-www-form-urlencoded')).toBe(415);
    expect(await status(JSON.stringify({ reason: 'x'.repeat(101 * 1024) }))).toBe(413);
  });

  it.each(['bob smith', 'x'.repeat(61), '<b>'])('refuses %s as the name of who asks', async (name) => {
    const response = await change('POST', '/api/environments/dev/backups', {}, { 'x-requested-by': name });
    expect((await problemOf(response)).detail).toContain('X-Requested-By');
  });

  it('tells a refusal, a failure with its sentence, and a defect without its inside', async () => {
    const path = '/api/environments/dev/deployments';
    web.operations.failure = new RefusedError('dev is locked by alice: release day');
    expect(await problemOf(await change('POST', path))).toMatchObject({
      status: 409,
      title: 'Conflict',
      detail: 'dev is locked by alice: release day',
      outcome: 'refused',
    });
    web.operations.failure = new FailedError('the disk is full');
    expect(await problemOf(await change('POST', path))).toMatchObject({
      status: 500,
      detail: 'the disk is full',
    });
    web.operations.failure = new Error('SELECT secret FROM inside');
    const defect = await problemOf(await change('POST', path));
    expect(defect.status).toBe(500);
    expect(JSON.stringify(defect)).not.toContain('inside');
    expect(web.logged.join('')).toContain('SELECT secret FROM inside');
  });
});

const description = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

describe('OpenAPI', () => {
  it('describes every route of the API, and no other', async () => {
    const answer = await fetch(`${web.url}/api/openapi.json`);
    const described = description.parse(await answer.json());
    expect(described.openapi).toBe('3.1.0');
    const inDescription = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const inApp = web.app.router.stack.flatMap(({ route }) =>
      route === undefined ? [] : [...new Set(route.stack.map(({ method }) => `${method} ${route.path}`))],
    );
    const api = inApp
      .filter((route) => route.includes(' /api/') && route !== 'get /api/openapi.json')
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
    expect(inDescription.sort()).toEqual(api.sort());
    expect(inDescription).toHaveLength(endpoints.length);
  });

  it('holds the schemas that validate', async () => {
    const text = await (await fetch(`${web.url}/api/openapi.json`)).text();
    expect(JSON.parse(text)).toMatchObject({
      paths: {
        '/api/deployments': {
          get: {
            parameters: expect.arrayContaining([expect.objectContaining({ name: 'limit', in: 'query' })]),
          },
        },
        '/api/environments/{environment}/lock': {
          post: {
            security: [{ token: [] }],
            requestBody: {
              content: {
                'application/json': { schema: { required: ['reason'], additionalProperties: false } },
              },
            },
          },
        },
      },
    });
  });
});
