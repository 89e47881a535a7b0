import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main as admin } from '../../../app/admin.ts';
import { main as seed } from '../../../app/seed.ts';
import { freshData, startSite, type Browser, type Site } from './site.ts';

let site: Site;
let administrator: Browser;
beforeAll(async () => {
  site = await startSite({ DEPLOYMENT_ID: 'd7' });
  administrator = await site.member('Ada Admin', 'administrator');
});
afterAll(() => site.close());

const rolesOf = (id: number) => site.database.read('roles').where({ user_id: id }).pluck<string[]>('role');

describe('roles', () => {
  it('are given and taken by administrators', async () => {
    const member = await site.member('Max Member');
    const change = (act: string, role: string, group = '') =>
      administrator.post(`/admin/users/${member.userId}/roles`, { act, role, group });
    expect((await change('grant', 'approver')).status).toBe(302);
    expect((await change('grant', 'approver')).status).toBe(302);
    expect(await rolesOf(member.userId)).toEqual(['reader', 'approver']);
    expect((await member.get('/admin/submissions/')).status).toBe(200);
    await change('revoke', 'approver');
    expect((await member.get('/admin/submissions/')).status).toBe(403);
    expect((await change('grant', 'emperor')).status).toBe(400);
    expect((await change('grant', 'member')).status).toBe(400);
    expect(
      (await administrator.post('/admin/users/999/roles', { act: 'grant', role: 'author' })).status,
    ).toBe(404);
    expect((await administrator.get('/admin/users/')).body).toContain('Max Member');
  });

  it('cannot be given to oneself', async () => {
    const member = await site.member('Mia Member');
    expect(
      (await member.post(`/admin/users/${member.userId}/roles`, { act: 'grant', role: 'administrator' }))
        .status,
    ).toBe(403);
    await member.post('/accounts/profile/', {
      name: 'Mia Member',
      affiliation: '',
      biography: '',
      role: 'administrator',
    });
    expect(await rolesOf(member.userId)).toEqual(['reader']);
  });

  it('leave at least one administrator', async () => {
    const answer = await administrator.post(`/admin/users/${administrator.userId}/roles`, {
      act: 'revoke',
      role: 'administrator',
    });
    expect(answer.status).toBe(409);
  });

  it.each(['/admin/', '/admin/users/', '/admin/groups/', '/admin/audit/', '/admin/submissions/'])(
    'guard %s',
    async (address) => {
      const reader = await site.member(`Reader ${address}`.replaceAll('/', ''));
      expect((await reader.get(address)).status).toBe(403);
      expect((await administrator.get(address)).status).toBe(200);
    },
  );
});

describe('groups', () => {
  it('are chartered once for each acronym, and show who chairs them', async () => {
    const fields = { acronym: 'trust', name: 'Trust & Safety', charter: 'What to believe.' };
    expect((await administrator.post('/admin/groups/', fields)).location).toBe('/group/trust/');
    expect((await administrator.post('/admin/groups/', fields)).status).toBe(422);
    expect((await administrator.post('/admin/groups/', { ...fields, acronym: 'No Spaces' })).status).toBe(
      422,
    );
    const chair = await site.member('Cleo Chair');
    const group = await site.database.read('groups').where({ acronym: 'trust' }).first<{ id: number }>('id');
    await administrator.post(`/admin/users/${chair.userId}/roles`, {
      act: 'grant',
      role: 'chair',
      group: String(group.id),
    });
    const { body } = await site.visitor().get('/group/trust/');
    expect(body).toContain('Trust &amp; Safety');
    expect(body).toContain('Cleo Chair');
    expect((await site.visitor().get('/group/')).body).toContain('/group/trust/');
    expect((await site.visitor().get(`/person/${chair.userId}/`)).body).toContain('/group/trust/');
  });
});

describe('the audit log', () => {
  it('says who changed what, in which deployment and request', async () => {
    const member = await site.member('Lou Member');
    const answer = await member.post('/accounts/profile/', {
      name: 'Lou Member',
      affiliation: 'New place',
      biography: '',
    });
    const entry = await site.database.read('audit_log').orderBy('id', 'desc').first<Record<string, string>>();
    expect(entry).toMatchObject({
      actor_id: member.userId,
      deployment_id: 'd7',
      request_id: answer.headers.get('x-request-id'),
      table_name: 'users',
      row_id: String(member.userId),
      action: 'update',
    });
    expect(JSON.parse(entry['old'] ?? '')).toMatchObject({ affiliation: '' });
    expect(JSON.parse(entry['new'] ?? '')).toMatchObject({ affiliation: 'New place' });
    expect((await administrator.get('/admin/audit/')).body).toContain('affiliation');
  });

  it('records a write by somebody from outside with nobody as actor', () => {
    const outside = new Database(site.file);
    outside.prepare("UPDATE users SET affiliation = 'tampered' WHERE id = ?").run(administrator.userId);
    const entry = outside.prepare('SELECT * FROM audit_log ORDER BY id DESC LIMIT 1').get();
    outside.close();
    expect(entry).toMatchObject({
      actor_id: null,
      deployment_id: null,
      request_id: null,
      table_name: 'users',
    });
  });

  it.each([
    'UPDATE audit_log SET actor_id = 1',
    'DELETE FROM audit_log',
    "INSERT OR REPLACE INTO audit_log (id, at, table_name, row_id, action) VALUES (1, 'x', 'users', '1', 'insert')",
    'UPDATE events SET type = 1',
    'DELETE FROM events',
  ])('refuses %s, whoever connects', (statement) => {
    const outside = new Database(site.file);
    outside
      .prepare(
        "INSERT INTO documents (id, name, title, abstract, state, current_rev, created_at, updated_at) VALUES (null, ?, 't', 'a', 'active', '00', 'x', 'x')",
      )
      .run(`draft-${statement.length}-${statement.slice(0, 3)}`);
    outside
      .prepare(
        "INSERT INTO events (doc_id, type, data, created_at) SELECT max(id), 'revision', '{\"rev\":\"00\"}', 'x' FROM documents",
      )
      .run();
    expect(() => outside.prepare(statement).run()).toThrow(/append-only/);
    outside.close();
  });

  it.each(['ON', 'OFF'])('is not slipped past by OR REPLACE with recursive_triggers %s', (setting) => {
    const outside = new Database(site.file);
    outside.pragma(`recursive_triggers = ${setting}`);
    const row = outside
      .prepare<[], { id: number; email: string }>('SELECT id, email FROM users LIMIT 1')
      .get() ?? { id: 0, email: '' };
    const values = "'n', 'h', 'x'";
    for (const statement of [
      `INSERT OR REPLACE INTO users (id, email, name, password_hash, created_at) VALUES (${row.id}, 'new', ${values})`,
      `INSERT OR REPLACE INTO users (email, name, password_hash, created_at) VALUES ('${row.email}', ${values})`,
      `REPLACE INTO settings (key, value, updated_at) VALUES ('twice', 'a', 'x'), ('twice', 'b', 'x')`,
      `UPDATE OR REPLACE users SET email = '${row.email}' WHERE id = (SELECT max(id) FROM users)`,
    ]) {
      expect(() => outside.prepare(statement).run()).toThrow(/UNIQUE constraint failed/);
    }
    outside.close();
  });
});

describe('the admin command', () => {
  const run = async (argv: string[], env: Record<string, string> = {}) => {
    let said = '';
    const output = { out: (text: string) => (said += text), error: (text: string) => (said += text) };
    return { code: await admin(argv, { DATABASE_FILE: site.file, ...env }, output), said };
  };

  it('makes the first administrator, and unmakes', async () => {
    const first = await site.member('First Person');
    expect(await run(['grant', 'First.Person@example.org', 'administrator'])).toMatchObject({ code: 0 });
    expect(await rolesOf(first.userId)).toContain('administrator');
    expect(await run(['revoke', 'first.person@example.org', 'administrator'])).toMatchObject({ code: 0 });
    expect(await rolesOf(first.userId)).toEqual(['reader']);
  });

  it('says what is wrong', async () => {
    expect((await run(['grant', 'nobody@example.org', 'administrator'])).code).toBe(1);
    expect((await run(['grant', 'x@example.org', 'emperor'])).code).toBe(2);
    expect((await run(['grant', 'x@example.org', 'approver'], { DATABASE_FILE: '/nonexistent' })).code).toBe(
      2,
    );
    expect((await run(['grant', 'x@example.org', 'approver'], { DEPLOYMENT_MODE: 'true' })).code).toBe(3);
  });
});

describe('the seed command', () => {
  const run = async (argv: string[], env: Record<string, string>) => {
    let said = '';
    const output = { out: (text: string) => (said += text), error: (text: string) => (said += text) };
    return { code: await seed(argv, env, output), said };
  };

  it('fills an empty datatracker once, with documents in all states', async () => {
    const { directory, file, remove } = await freshData();
    const env = { DATABASE_FILE: file, FILES_DIR: `${directory}/files` };
    const first = await run(['dev'], env);
    expect(first.code).toBe(0);
    const database = new Database(file);
    const states = database.prepare('SELECT DISTINCT state FROM documents ORDER BY 1').pluck().all();
    expect(states).toEqual(['active', 'approved', 'expired', 'last-call', 'published', 'withdrawn']);
    const numbers = database
      .prepare('SELECT ml_number FROM documents WHERE ml_number IS NOT NULL ORDER BY 1')
      .pluck()
      .all();
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
    database.close();
    expect((await run(['dev'], env)).code).toBe(1);
    remove();
  });

  it('finds the live database of an environment below the home of the deployer', async () => {
    const { said, code } = await run(['dev'], { DEPLOYER_HOME: '/nonexistent' });
    expect(code).toBe(2);
    expect(said).toContain('/nonexistent/data/dev/current/datatracker.db');
  });

  it('refuses production, an instance that is not live, and wrong usage', async () => {
    expect((await run(['prod'], {})).code).toBe(3);
    expect((await run(['dev'], { DEPLOYMENT_MODE: 'true' })).code).toBe(3);
    expect((await run([], {})).code).toBe(2);
    expect((await run(['../x'], {})).code).toBe(2);
  });
});
