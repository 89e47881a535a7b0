import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite, type Browser, type Site } from './site.ts';

const ANA = { name: 'Ana Rivera', email: 'Ana.Rivera@Example.org', password: 'correct horse' };

let site: Site;
beforeAll(async () => {
  site = await startSite();
  const browser = site.visitor();
  await browser.post('/accounts/create/', ANA);
});
afterAll(() => site.close());

const logIn = (browser: Browser, fields: Record<string, string> = {}) =>
  browser.post('/login/', { email: ANA.email, password: ANA.password, ...fields });

describe('an account', () => {
  it('is made by registration, signed in at once, as a reader', async () => {
    const browser = site.visitor();
    await logIn(browser);
    const { body } = await browser.get('/accounts/profile/');
    expect(body).toContain('ana.rivera@example.org');
    expect(body).toContain('<span class="role">reader</span>');
    expect(body).not.toContain('administrator');
  });

  it('is not made twice for one address, however it is written', async () => {
    const answer = await site
      .visitor()
      .post('/accounts/create/', { ...ANA, email: 'ANA.rivera@example.ORG' });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain('has an account already');
  });

  it.each([
    ['a short password', { password: 'short' }],
    ['no address', { email: 'nobody' }],
    ['a name that reverses text', { name: 'Ana \u202Eneve' }],
    ['a name in two alphabets that look alike', { name: 'Аna Rivera' }],
  ])('is refused with %s', async (_, wrong) => {
    const answer = await site
      .visitor()
      .post('/accounts/create/', { ...ANA, email: 'other@example.org', ...wrong });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain('aria-invalid="true"');
  });

  it('keeps its password as Argon2id, in no log', async () => {
    const row = await site.database
      .read('users')
      .where({ email: 'ana.rivera@example.org' })
      .first<{ password_hash: string }>();
    expect(row.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const logged = await site.database
      .read('audit_log')
      .where({ table_name: 'users' })
      .pluck<string[]>('new');
    expect(logged.join()).toContain('"password_hash":"[secret]"');
    expect(logged.join()).not.toContain('argon2id');
  });
});

describe('logging in', () => {
  it('answers 302 to the start page, or to where one was going', async () => {
    expect(await logIn(site.visitor())).toMatchObject({ status: 302, location: '/' });
    expect(await logIn(site.visitor(), { next: '/submit/?name=x' })).toMatchObject({
      location: '/submit/?name=x',
    });
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example',
    '/\n//evil.example',
    'javascript:alert(1)',
    '/..//evil.example',
  ])('never leads to another site by next=%j', async (next) => {
    const { location } = await logIn(site.visitor(), { next });
    expect(new URL(location ?? '', site.url).origin).toBe(site.url);
    const form = await site.visitor().get(`/login/?next=${encodeURIComponent(next)}`);
    expect(form.body).toContain('name="next" value="/"');
  });

  it('is refused with a wrong password and without an account in the same words', async () => {
    const wrong = await logIn(site.visitor(), { password: 'wrong horse' });
    const nobody = await logIn(site.visitor(), { email: 'nobody@example.org' });
    expect([wrong.status, nobody.status]).toEqual([401, 401]);
    expect(wrong.body).toContain('The address or the password is wrong.');
    expect(nobody.body).toContain('The address or the password is wrong.');
  });

  it('gives a new session id, whatever the client came with', async () => {
    const browser = site.visitor();
    browser.cookies.set('session', 'planted-by-somebody-else-000000000000000000');
    await logIn(browser);
    const first = browser.cookies.get('session');
    expect(first).not.toBe('planted-by-somebody-else-000000000000000000');
    await logIn(browser);
    expect(browser.cookies.get('session')).not.toBe(first);
    const before = site.visitor();
    before.cookies.set('session', first ?? '');
    expect((await before.get('/accounts/profile/')).status).toBe(302);
  });

  it('keeps only the hash of a session in the database', async () => {
    const browser = site.visitor();
    await logIn(browser);
    const ids = await site.database.read('sessions').pluck<string[]>('id');
    expect(ids).not.toContain(browser.cookies.get('session'));
    expect(ids.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
  });

  it('sets a cookie that scripts cannot read, and over HTTPS one that only this host can set', async () => {
    const cookie = (await logIn(site.visitor())).headers.getSetCookie().join();
    expect(cookie).toMatch(/^session=.+HttpOnly; SameSite=Lax/);
    const https = { 'x-forwarded-proto': 'https' };
    const browser = site.visitor();
    const page = await browser.get('/login/', https);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const answer = await browser.post('/login/', { csrf, email: ANA.email, password: ANA.password }, https);
    expect(answer.headers.getSetCookie().join()).toMatch(/^__Host-session=.+; Secure/);
  });

  it('ends after too many attempts, for that account only, until the quarter of an hour is over', async () => {
    const attempt = () => site.visitor().post('/login/', { email: 'mallory@example.org', password: 'guess' });
    for (let count = 0; count < 10; count += 1) expect((await attempt()).status).toBe(401);
    const refused = await attempt();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    site.clock.now = new Date(site.clock.now.getTime() + 16 * 60_000);
    expect((await attempt()).status).toBe(401);
  });
});

describe('a session', () => {
  it('ends by POST only', async () => {
    const browser = site.visitor();
    await logIn(browser);
    expect((await browser.get('/logout/')).status).toBe(404);
    expect((await browser.post('/logout/')).status).toBe(302);
    expect((await browser.get('/accounts/profile/')).location).toBe('/login/?next=%2Faccounts%2Fprofile%2F');
  });

  it('ends by itself after fourteen days, and reading never prolongs it', async () => {
    const browser = site.visitor();
    await logIn(browser);
    const { now } = site.clock;
    site.clock.now = new Date(now.getTime() + 14 * 24 * 3600_000 - 1000);
    expect((await browser.get('/accounts/profile/')).status).toBe(200);
    site.clock.now = new Date(now.getTime() + 14 * 24 * 3600_000);
    expect((await browser.get('/accounts/profile/')).status).toBe(302);
    site.clock.now = now;
  });

  it('ends everywhere else when the password is changed', async () => {
    await site
      .visitor()
      .post('/accounts/create/', { name: 'Bo', email: 'bo@example.org', password: 'first password' });
    const here = site.visitor();
    const there = site.visitor();
    for (const browser of [here, there])
      await logIn(browser, { email: 'bo@example.org', password: 'first password' });
    const wrong = await here.post('/accounts/profile/password/', {
      old_password: 'no',
      password: 'second password',
    });
    expect(wrong.status).toBe(422);
    await here.post('/accounts/profile/password/', {
      old_password: 'first password',
      password: 'second password',
    });
    expect((await here.get('/accounts/profile/')).status).toBe(200);
    expect((await there.get('/accounts/profile/')).status).toBe(302);
  });

  it('is of no use once the account is disabled', async () => {
    const member = await site.member('Cy Doe');
    await site.database.write({ actorId: null, deploymentId: '', requestId: '' }, (trx) =>
      trx('users').where({ id: member.userId }).update({ disabled_at: '2026-05-04T12:00:00.000Z' }),
    );
    expect((await member.get('/accounts/profile/')).status).toBe(302);
  });
});

describe('the profile', () => {
  it('is saved, and shown on the public page without the address', async () => {
    const member = await site.member('Dana Fox');
    await member.post('/accounts/profile/', {
      name: 'Dana Fox',
      affiliation: 'Fox & Co',
      biography: '<b>bold</b>',
    });
    const { body } = await site.visitor().get(`/person/${member.userId}/`);
    expect(body).toContain('Fox &amp; Co');
    expect(body).toContain('&lt;b&gt;bold&lt;/b&gt;');
    expect(body).not.toContain('dana.fox@example.org');
  });

  it('does not take what is too long', async () => {
    const member = await site.member('Eli Fox');
    const answer = await member.post('/accounts/profile/', {
      name: 'x'.repeat(101),
      affiliation: '',
      biography: '',
    });
    expect(answer.status).toBe(422);
  });
});

describe('every form', () => {
  const forms = [
    '/login/',
    '/logout/',
    '/accounts/create/',
    '/theme/',
    '/submit/',
    '/doc/draft/draft-a-b/comments/',
    '/admin/users/1/roles',
    '/admin/submissions/1/approve',
  ];

  it.each(forms)('%s is refused without its token', async (address) => {
    const member = await site.member(
      `Form ${address}`.replaceAll(/[^a-z0-9 ]/gi, ''),
      'administrator',
      'approver',
    );
    expect((await member.post(address, { csrf: '' })).status).toBe(403);
    expect((await member.post(address, { csrf: 'x'.repeat(43) })).status).toBe(403);
    const others = await site.visitor().token();
    expect((await member.post(address, { csrf: others })).status).toBe(403);
  });

  it('is refused when a browser says that it comes from another site', async () => {
    const fields = { email: ANA.email, password: ANA.password };
    expect((await site.visitor().post('/login/', fields, { 'sec-fetch-site': 'cross-site' })).status).toBe(
      403,
    );
    expect((await site.visitor().post('/login/', fields, { origin: 'https://evil.example' })).status).toBe(
      403,
    );
    expect((await site.visitor().post('/login/', fields, { origin: 'null' })).status).toBe(403);
    expect((await site.visitor().post('/login/', fields, { origin: site.url })).status).toBe(302);
  });

  it('is refused in another form than a form, with a NUL in it, or when it is huge', async () => {
    const browser = site.visitor();
    const csrf = await browser.token();
    const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect((await browser.send('/login/', json)).status).toBe(415);
    expect((await browser.post('/login/', { csrf, email: 'a\0b@example.org' })).status).toBe(400);
    expect((await browser.post('/login/', { csrf, email: 'a'.repeat(300_000) })).status).toBe(413);
  });
});

describe('the theme', () => {
  it('is chosen without JavaScript and stays chosen', async () => {
    const browser = site.visitor();
    const answer = await browser.post('/theme/', { theme: 'dark', back: '/doc/all/' });
    expect(answer).toMatchObject({ status: 302, location: '/doc/all/' });
    expect((await browser.get('/')).body).toContain('data-bs-theme="dark"');
    await browser.post('/theme/', { theme: 'auto', back: '//evil.example' });
    expect((await browser.get('/')).body).not.toContain('data-bs-theme=');
  });
});
