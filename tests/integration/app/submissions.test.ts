import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DRAFT, postDraft, startSite, type Browser, type Site } from './site.ts';

let site: Site;
let author: Browser;
let approver: Browser;
let administrator: Browser;
beforeAll(async () => {
  site = await startSite();
  author = await site.member('Ana Rivera');
  approver = await site.member('Bela Approver', 'approver');
  administrator = await site.member('Cara Admin', 'administrator');
});
afterAll(() => site.close());

const stateOf = async (name: string) =>
  site.database
    .read('documents')
    .where({ name })
    .first<{ state: string; ml_number: number | null } | undefined>('state', 'ml_number');

describe('a submission', () => {
  it('is checked, previewed for its author alone, and posted when confirmed', async () => {
    const checked = await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-first' });
    expect(checked).toMatchObject({ status: 302 });
    const preview = await author.get(checked.location ?? '');
    expect(preview.body).toContain('<em>notice</em>');
    expect((await approver.get(checked.location ?? '')).status).toBe(404);
    expect((await author.get('/doc/draft/draft-rivera-first/')).status).toBe(404);
    const confirmed = await author.post(`${checked.location}confirm/`);
    expect(confirmed.location).toBe('/doc/draft/draft-rivera-first/');
    const page = await site.visitor().get('/doc/draft/draft-rivera-first/');
    expect(page.body).toContain('Active draft');
    expect(page.body).toContain(`<a href="/person/${author.userId}/">Ana Rivera</a>`);
  });

  it('makes its submitter an author', async () => {
    const roles = await site.database.read('roles').where({ user_id: author.userId }).pluck<string[]>('role');
    expect(roles).toContain('author');
  });

  it('comes as a file too, whose format decides how it is shown', async () => {
    const { text: _, ...fields } = DRAFT;
    const file = { name: 'draft.TXT', content: 'Plain <b>text</b>.\nSecurity Considerations: none.' };
    const checked = await author.upload('/submit/', { ...fields, name: 'draft-rivera-plain' }, file);
    const preview = await author.get(checked.location ?? '');
    expect(preview.body).toContain('Plain &lt;b&gt;text&lt;/b&gt;.');
    expect(preview.body).toContain('The checks found nothing to mend.');
  });

  it('shows each finding with its severity and line', async () => {
    const text = '# Title\n\n<script>alert(1)</script>\n[x](javascript:alert(1))';
    const checked = await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-findings', text });
    const { body } = await author.get(checked.location ?? '');
    expect(body).toMatch(/severity-notice">notice<\/span>\s*<span[^>]*>line 3<\/span>/);
    expect(body).toMatch(/severity-warning">warning<\/span>\s*<span[^>]*>line 4<\/span>/);
    expect(body).toContain('There is no section “Security Considerations”.');
    expect(body).not.toContain('<script>alert');
    expect(body).not.toContain('href="javascript:');
  });

  it.each([
    ['a name in capitals', { name: 'draft-Rivera-x' }, 'lower-case letters'],
    ['a name of two parts', { name: 'draft-rivera' }, 'at least three parts'],
    ['a name of 51 characters', { name: `draft-a-${'x'.repeat(43)}` }, '50 are allowed'],
    ['an empty part in its name', { name: 'draft-a--b' }, 'empty part'],
    ['a hyphen at its end', { name: 'draft-a-b-' }, 'empty part'],
    ['a path as its name', { name: '../../etc/passwd' }, 'starts with'],
    ['a first revision that is not 00', { name: 'draft-new-one', rev: '01' }, 'must be 00'],
    ['authors without addresses', { authors: 'Ana Rivera' }, 'in line 1'],
    ['no text', { text: '' }, 'is missing'],
    ['no title', { title: ' ' }, 'Title is required'],
    ['a group that does not exist', { group: 'nobody' }, 'is unknown'],
  ])('with %s is not kept', async (_, wrong, said) => {
    const answer = await author.upload('/submit/', { ...DRAFT, ...wrong });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(said);
    expect(answer.body).toContain('How readers notice each other.');
  });

  it.each([
    ['bytes that are no UTF-8', 'a.txt', new Uint8Array([104, 105, 10, 0xff, 0xfe]), 'line 2'],
    ['a program named .pdf', 'a.pdf', new Uint8Array([0x7f, 0x45, 0x4c, 0x46]), 'not a PDF'],
    [
      'an XML bomb',
      'a.xml',
      '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<x>&a;</x>',
      'entities are not accepted',
    ],
    ['text that runs backwards', 'a.md', 'Security Considerations \u202Egnihton', 'reverses the direction'],
    ['2 MB and a byte', 'a.txt', 'x'.repeat(2 * 1024 * 1024 + 1), 'larger than 2 MB'],
    ['an unknown format', 'a.exe', 'MZ', 'is missing'],
  ])('of %s is refused with the reason', async (_, name, content, said) => {
    const { text: __, ...fields } = DRAFT;
    const answer = await author.upload(
      '/submit/',
      { ...fields, name: 'draft-rivera-file' },
      { name, content },
    );
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(said);
  });

  it('larger than the form takes is 413', async () => {
    const { text: _, ...fields } = DRAFT;
    const answer = await author.upload('/submit/', fields, {
      name: 'a.xml',
      content: 'x'.repeat(5 * 1024 * 1024),
    });
    expect(answer.status).toBe(413);
  });

  it('can be cancelled, and the name is free again', async () => {
    const checked = await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-cancel' });
    expect((await author.post(`${checked.location}cancel/`)).status).toBe(302);
    expect((await author.post(`${checked.location}confirm/`)).status).toBe(409);
    await postDraft(author, { name: 'draft-rivera-cancel' });
  });

  it('holds its name against others until it is confirmed or a day has passed', async () => {
    await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-held' });
    const other = await site.member('Otto Other');
    expect((await other.upload('/submit/', { ...DRAFT, name: 'draft-rivera-held' })).status).toBe(409);
    site.clock.now = new Date(site.clock.now.getTime() + 25 * 3600_000);
    expect((await other.upload('/submit/', { ...DRAFT, name: 'draft-rivera-held' })).status).toBe(302);
  });

  it('of a new revision is for authors and chairs, and must be the next one', async () => {
    await postDraft(author, { name: 'draft-rivera-revised' });
    const stranger = await site.member('Sven Stranger');
    const next = { ...DRAFT, name: 'draft-rivera-revised', rev: '01' };
    expect((await stranger.upload('/submit/', next)).body).toContain('is taken');
    expect((await author.upload('/submit/', { ...next, rev: '02' })).body).toContain('must be 01');
    await postDraft(author, { name: 'draft-rivera-revised', rev: '01', title: 'Presence, Revised' });
    const { body } = await site.visitor().get('/doc/draft/draft-rivera-revised/');
    expect(body).toContain('Presence, Revised');
    const old = await site.visitor().get('/doc/draft/draft-rivera-revised/00/');
    expect(old.body).toContain('This is the old revision 00.');
    expect(old.body).toContain('Presence on Pages');
    const superseded = await site.database
      .read('submissions')
      .where({ name: 'draft-rivera-revised', rev: '00' })
      .first<{ state: string }>('state');
    expect(superseded.state).toBe('superseded');
  });

  it('cannot be confirmed twice, or by somebody else', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-twice' });
    expect((await author.post(`/submit/status/${id}/confirm/`)).status).toBe(409);
    const checked = await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-mine' });
    const stranger = await site.member('Tilda Stranger');
    expect((await stranger.post(`${checked.location}confirm/`)).status).toBe(404);
  });

  it('asks visitors to log in, and comes back to where they were going', async () => {
    expect((await site.visitor().get('/submit/')).location).toBe('/login/?next=%2Fsubmit%2F');
  });
});

describe('approval', () => {
  it('gives the next number, and a second click changes nothing', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-approved' });
    const page = await approver.get(`/admin/submissions/${id}/`);
    expect(page.body).toContain('Approve and number');
    expect((await approver.post(`/admin/submissions/${id}/approve`)).status).toBe(302);
    const first = await stateOf('draft-rivera-approved');
    expect(first?.state).toBe('approved');
    expect((await approver.post(`/admin/submissions/${id}/approve`)).status).toBe(302);
    expect(await stateOf('draft-rivera-approved')).toEqual(first);
  });

  it('is for approvers only, administrators included', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-mine-alone' });
    for (const browser of [author, administrator]) {
      expect((await browser.post(`/admin/submissions/${id}/approve`)).status).toBe(403);
    }
    expect((await stateOf('draft-rivera-mine-alone'))?.state).toBe('active');
  });

  it('leaves no gap when it fails: what was withdrawn meanwhile gets no number', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-withdrawn' });
    await author.post('/doc/draft/draft-rivera-withdrawn/state/', { to: 'withdrawn' });
    const before = await site.database.read('counters').first<{ value: number }>('value');
    expect((await approver.post(`/admin/submissions/${id}/approve`)).status).toBe(409);
    expect(await site.database.read('counters').first<{ value: number }>('value')).toEqual(before);
  });

  it('can be denied with a note, after which the next revision is welcome', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-returned' });
    expect(
      (await approver.post(`/admin/submissions/${id}/return`, { note: 'Needs <examples>.' })).status,
    ).toBe(302);
    expect((await author.get(`/submit/status/${id}/`)).body).toContain('Needs &lt;examples&gt;.');
    expect((await approver.post(`/admin/submissions/${id}/approve`)).status).toBe(409);
    await postDraft(author, { name: 'draft-rivera-returned', rev: '01' });
  });

  it('numbers without gap or repeat when two processes approve at once', async () => {
    const ids = [];
    for (let count = 0; count < 12; count += 1)
      ids.push(await postDraft(author, { name: `draft-race-${count}-x` }));
    const before = (await site.database.read('counters').first<{ value: number }>('value')).value;
    const approve = (mine: string[]) =>
      promisify(execFile)(process.execPath, [
        path.join(import.meta.dirname, 'approve-all.ts'),
        site.file,
        String(approver.userId),
        ...mine,
      ]);
    await Promise.all([approve(ids), approve(ids.toReversed())]);
    const numbers = await site.database
      .read('documents')
      .where('name', 'like', 'draft-race-%')
      .orderBy('ml_number')
      .pluck<number[]>('ml_number');
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => before + 1 + index));
    expect((await site.database.read('counters').first<{ value: number }>('value')).value).toBe(before + 12);
  });
});

describe('publication', () => {
  it('is a separate act of an administrator, and possible once', async () => {
    const id = await postDraft(author, { name: 'draft-rivera-published' });
    expect((await administrator.post('/admin/documents/draft-rivera-published/publish')).status).toBe(409);
    await approver.post(`/admin/submissions/${id}/approve`);
    expect((await approver.post('/admin/documents/draft-rivera-published/publish')).status).toBe(403);
    expect((await administrator.get('/admin/submissions/')).body).toContain('Publish');
    expect((await administrator.post('/admin/documents/draft-rivera-published/publish')).status).toBe(302);
    expect((await stateOf('draft-rivera-published'))?.state).toBe('published');
    expect((await administrator.post('/admin/documents/draft-rivera-published/publish')).status).toBe(409);
    const { body } = await author.upload('/submit/', { ...DRAFT, name: 'draft-rivera-published', rev: '01' });
    expect(body).toContain('takes no new revisions');
  });

  it('keeps the number at a permanent address', async () => {
    const { ml_number } = (await stateOf('draft-rivera-published')) ?? { ml_number: 0 };
    for (const address of [`/doc/ml-${String(ml_number).padStart(3, '0')}/`, `/doc/ML-0000${ml_number}/`]) {
      expect(await site.visitor().get(address)).toMatchObject({
        status: 301,
        location: '/doc/draft/draft-rivera-published/',
      });
    }
    expect((await site.visitor().get('/doc/ml-999/')).status).toBe(404);
  });
});

describe('the life of a document', () => {
  it('allows an author to withdraw, and nobody else without a role', async () => {
    await postDraft(author, { name: 'draft-rivera-life' });
    const stranger = await site.member('Una Stranger');
    expect((await stranger.post('/doc/draft/draft-rivera-life/state/', { to: 'withdrawn' })).status).toBe(
      403,
    );
    expect((await author.post('/doc/draft/draft-rivera-life/state/', { to: 'withdrawn' })).status).toBe(302);
  });

  it.each([
    ['withdrawn', 'withdrawn', 409],
    ['withdrawn', 'expired', 409],
    ['withdrawn', 'published', 400],
    ['withdrawn', 'no-such-state', 400],
  ])('answers a move from %s to %s with %d', async (_, to, status) => {
    expect((await administrator.post('/doc/draft/draft-rivera-life/state/', { to })).status).toBe(status);
  });

  it('wakes an expired draft up by its next revision', async () => {
    await postDraft(author, { name: 'draft-rivera-asleep' });
    expect(
      (await administrator.post('/doc/draft/draft-rivera-asleep/state/', { to: 'expired' })).status,
    ).toBe(302);
    await postDraft(author, { name: 'draft-rivera-asleep', rev: '01' });
    expect((await stateOf('draft-rivera-asleep'))?.state).toBe('active');
    const { body } = await site.visitor().get('/doc/draft/draft-rivera-asleep/history/');
    expect(body.match(/id="event-\d+"/g)).toHaveLength(4);
  });

  it('is refused by the database itself in a state that does not exist', async () => {
    const change = (values: object) =>
      site.database.write({ actorId: null, deploymentId: '', requestId: '' }, (trx) =>
        trx('documents').where({ name: 'draft-rivera-asleep' }).update(values),
      );
    await expect(change({ state: randomBytes(4).toString('hex') })).rejects.toThrow(/CHECK/);
    await expect(change({ state: 'approved' })).rejects.toThrow(/documents_numbered/);
    await expect(change({ ml_number: 0 })).rejects.toThrow(/documents_ml_number/);
  });
});
