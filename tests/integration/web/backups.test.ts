import { afterEach, beforeEach, expect, it } from 'vitest';
import { TOKEN, serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

const ID = '2026-11-20_12-00-00';
const authorization = `Bearer ${TOKEN}`;

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addEnvironment('dev');
  web.operations.backupsKept.push({ id: ID, kind: 'full', verifiedAt: '2026-11-20T12:00:01.000Z' });
});
afterEach(() => web.close());

const ask = (method: string, path: string, body?: object, headers: object = { authorization }) =>
  fetch(`${web.url}/api/environments/dev/backups/${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

it('verifies one backup, or the newest', async () => {
  const good = await ask('POST', `${ID}/verify`);
  expect(good.status).toBe(202);
  expect(await good.json()).toMatchObject({ id: ID, kind: 'full', success: true });
  web.operations.damaged.add(ID);
  const bad = await ask('POST', 'newest/verify');
  expect(await bad.json()).toMatchObject({ id: ID, success: false, checks: [{ name: 'manifest' }] });
  expect(web.operations.asked.map((asked) => asked.with)).toEqual([
    { environment: 'dev', id: ID },
    { environment: 'dev', id: null },
  ]);
});

it('restores by a deployment, and says where that is', async () => {
  const response = await ask('POST', `${ID}/restore`, { reason: 'lost rows' });
  expect(response.headers.get('location')).toBe('/api/deployments/d1');
  expect(await response.json()).toMatchObject({ id: 'd1', kind: 'restore' });
  expect(web.operations.asked.at(-1)?.with).toEqual({ id: ID, reason: 'lost rows', by: 'api' });
});

it('drills, and answers the suites', async () => {
  const suites = [{ name: 'drill', success: true, durationMs: 1, checks: [] }];
  web.operations.verification = { success: true, suites };
  const response = await ask('POST', `${ID}/drill`);
  expect(await response.json()).toMatchObject({ id: ID, success: true, suites });
});

it('exports SQL text, to nobody without the token', async () => {
  const response = await ask('GET', `${ID}/export`);
  expect(response.headers.get('content-type')).toContain('application/sql');
  expect(await response.text()).toBe(web.operations.sql);
  const without = await ask('GET', `${ID}/export`, undefined, {});
  expect(without.status).toBe(401);
  const description = await (await fetch(`${web.url}/api/openapi.json`)).json();
  expect(description).toMatchObject({
    paths: {
      '/api/environments/{environment}/backups/{backup}/export': { get: { security: [{ token: [] }] } },
    },
  });
});

it('answers the export of a damaged backup with a problem instead', async () => {
  web.operations.damaged.add(ID);
  const response = await ask('GET', `${ID}/export`);
  expect(response.status).toBe(500);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ detail: `the backup ${ID} is damaged`, outcome: 'failed' });
});

it('survives a client that goes away in the middle of an export', async () => {
  web.operations.sql = 'x'.repeat(20_000_000);
  const gone = new AbortController();
  const response = await fetch(`${web.url}/api/environments/dev/backups/${ID}/export`, {
    headers: { authorization },
    signal: gone.signal,
  });
  gone.abort();
  await expect(response.text()).rejects.toThrow('aborted');
  expect((await ask('POST', `${ID}/verify`)).status).toBe(202);
});

it.each(['2020-01-01_00-00-00', 'latest', '..%2f..%2fetc'])('answers 404 to the backup %s', async (id) => {
  for (const verb of ['verify', 'restore', 'drill'])
    expect((await ask('POST', `${id}/${verb}`)).status).toBe(404);
  expect((await ask('GET', `${id}/export`)).status).toBe(404);
});
