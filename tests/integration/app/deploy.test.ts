import Database from 'better-sqlite3';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../app/database/database.ts';
import { freshData, migrateTo, startSite, type Site } from './site.ts';

describe('the _deploy endpoints', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({
      DEPLOYMENT_ID: 'd1',
      RELEASE_COMMIT: 'c0ffee',
      RELEASE_TREE: 'beef',
      RELEASE_BRANCH: 'dev',
      DEPLOYED_AT: '2026-05-04T11:00:00Z',
      RELOAD_TOKEN: 'a-token-of-sixteen',
    });
  });
  afterAll(() => site.close());

  it('says that it is healthy once the database answers with every migration of the release', async () => {
    const answer = await site.visitor().get('/_deploy/health');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok', database: 'ok', service: 'ok' });
  });

  it('says what is running, and on which schema', async () => {
    const status = z
      .looseObject({ database_version: z.string(), migrations_applied: z.array(z.string()) })
      .parse(JSON.parse((await site.visitor().get('/_deploy/status')).body));
    expect(status).toMatchObject({
      environment: 'dev',
      git_branch: 'dev',
      git_commit: 'c0ffee',
      git_tree: 'beef',
      deployed_at: '2026-05-04T11:00:00Z',
      deployment_id: 'd1',
      service_status: 'running',
      mode: false,
    });
    expect(status.database_version).toBe(status.migrations_applied.at(-1));
    expect(status.migrations_applied).toContain('20261101090600_audit');
  });

  it('lists the routes that the router holds, to the deployer only', async () => {
    const { routes } = z
      .object({ routes: z.array(z.looseObject({})) })
      .parse(JSON.parse((await site.visitor().get('/_deploy/routes')).body));
    expect(routes).toContainEqual({ method: 'GET', path: '/doc/draft/:name/' });
    expect(routes).toContainEqual({ method: 'PUT', path: '/_deploy/mode' });
    expect((await site.visitor().get('/_deploy/routes', { 'x-forwarded-for': '203.0.113.7' })).status).toBe(
      404,
    );
  });

  it('reloads in dev with the token, and only so', async () => {
    const reload = (headers: Record<string, string>) =>
      site.visitor().send('/_deploy/reload', { method: 'POST', headers });
    expect((await reload({})).status).toBe(401);
    expect((await reload({ authorization: 'Bearer another-token-of-it' })).status).toBe(401);
    expect((await reload({ authorization: 'Bearer a-token-of-sixteen' })).status).toBe(200);
    expect((await site.visitor().get('/_deploy/health')).status).toBe(200);
  });

  it('knows no reload outside dev', async () => {
    const without = await startSite({});
    const asked = await without.visitor().send('/_deploy/reload', {
      method: 'POST',
      headers: { authorization: 'Bearer undefined' },
    });
    expect(asked.status).toBe(401);
    await without.close();
    const prod = await startSite({ ENVIRONMENT: 'prod', RELOAD_TOKEN: 'a-token-of-sixteen' });
    const headers = { authorization: 'Bearer a-token-of-sixteen' };
    expect((await prod.visitor().send('/_deploy/reload', { method: 'POST', headers })).status).toBe(404);
    await prod.close();
  });
});

describe('health', () => {
  it('is 503 while a migration of the release is pending', async () => {
    const site = await startSite();
    await migrateTo(site.file, ['down']);
    const answer = await site.visitor().get('/_deploy/health');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ database: 'migrations pending' });
    await site.close();
  });

  it('is 200 on a newer schema, because a release may be taken back onto it', async () => {
    const site = await startSite();
    const other = new Database(site.file);
    other.prepare("INSERT INTO knex_migrations (name, batch) VALUES ('29990101000000_later', 9)").run();
    other.close();
    expect((await site.visitor().get('/_deploy/health')).status).toBe(200);
    await site.close();
  });

  it('is 503 without a database, and creates none', async () => {
    const site = await startSite({ DATABASE_FILE: '/nonexistent/datatracker.db' });
    const answer = await site.visitor().get('/_deploy/health');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'unavailable', database: 'unavailable' });
    await site.close();
  });
});

describe('DEPLOYMENT_MODE', () => {
  const put = (site: Site, body: string, headers: Record<string, string> = {}) =>
    site.visitor().send('/_deploy/mode', {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('refuses every write with 503 and Retry-After while pages are served', async () => {
    const site = await startSite({ DEPLOYMENT_MODE: 'true' });
    const visitor = site.visitor();
    expect((await visitor.get('/')).status).toBe(200);
    const answer = await visitor.post('/login/', { email: 'a@example.org', password: 'x' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
      expect((await visitor.send('/no/such/page', { method })).status).toBe(503);
    }
    await site.close();
  });

  it('ends by PUT without a restart, and begins again', async () => {
    const site = await startSite({ DEPLOYMENT_MODE: 'true' });
    expect((await put(site, '{"deployment_mode": false}')).status).toBe(204);
    expect((await site.visitor().post('/login/', { email: 'a@example.org', password: 'x' })).status).toBe(
      401,
    );
    expect((await put(site, '{"deployment_mode": true}')).status).toBe(204);
    expect((await site.visitor().post('/login/', { email: 'a@example.org', password: 'x' })).status).toBe(
      503,
    );
    await site.close();
  });

  it('cannot be changed through the front door, or by anything but the agreed JSON', async () => {
    const site = await startSite({ DEPLOYMENT_MODE: 'true' });
    expect((await put(site, '{"deployment_mode": false}', { 'x-forwarded-for': '203.0.113.7' })).status).toBe(
      404,
    );
    expect((await put(site, '{"deployment_mode": "no"}')).status).toBe(400);
    expect((await put(site, 'nonsense')).status).toBe(400);
    expect(JSON.parse((await site.visitor().get('/_deploy/status')).body)).toMatchObject({ mode: true });
    await site.close();
  });

  it('makes the database handle itself refuse', async () => {
    const { file, remove } = await freshData();
    const origin = { actorId: null, deploymentId: '', requestId: '' };
    const database = openDatabase(file, true);
    const write = () =>
      database.write(origin, (trx) => trx('settings').insert({ key: 'k', value: 'v', updated_at: 'now' }));
    await expect(write()).rejects.toThrow(/readonly/);
    await database.setReadOnly(false);
    await write();
    await database.setReadOnly(true);
    await expect(database.write(origin, (trx) => trx('settings').delete())).rejects.toThrow(/readonly/);
    await expect(database.read('settings').delete()).rejects.toThrow(/readonly/);
    await database.close();
    remove();
  });

  it('answers "true" only after the write in flight has ended', async () => {
    const { file, remove } = await freshData();
    const database = openDatabase(file, false);
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const writing = database.write({ actorId: null, deploymentId: '', requestId: '' }, async (trx) => {
      await trx('settings').insert({ key: 'k', value: 'v', updated_at: 'now' });
      begun.resolve();
      await gate.promise;
      order.push('written');
    });
    await begun.promise;
    const refusing = database.setReadOnly(true).then(() => order.push('read-only'));
    gate.resolve();
    await Promise.all([writing, refusing]);
    expect(order).toEqual(['written', 'read-only']);
    await database.close();
    remove();
  });
});
