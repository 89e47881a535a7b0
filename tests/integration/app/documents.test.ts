import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listDocuments, listQuery } from '../../../app/documents/list.ts';
import { postDraft, startSite, type Browser, type Site } from './site.ts';

const ORIGIN = { actorId: null, deploymentId: '', requestId: '' };

let site: Site;
let author: Browser;
beforeAll(async () => {
  site = await startSite();
  author = await site.member('Ana Rivera');
  await postDraft(author, {
    name: 'draft-rivera-presence',
    title: 'Présence & <Proximity>',
    abstract: 'A "quoted" abstract.',
  });
  await postDraft(author, {
    name: 'draft-rivera-anchors',
    title: 'Anchors',
    text: '# A\n\nSelectors survive editing. Security Considerations.',
  });
});
afterAll(() => site.close());

const names = (body: string) =>
  [...body.matchAll(/<code>(draft-[a-z0-9-]+)-\d\d<\/code>/g)].map((match) => match[1]);

describe('searching', () => {
  const find = async (q: string) =>
    names((await site.visitor().get(`/doc/all/?q=${encodeURIComponent(q)}`)).body);

  it('finds titles, authors and texts, with or without accents', async () => {
    expect(await find('presence')).toContain('draft-rivera-presence');
    expect(await find('selectors surv')).toEqual(['draft-rivera-anchors']);
    expect(await find('ana rivera')).toHaveLength(2);
    expect(await find('nothing like it')).toEqual([]);
  });

  it.each([
    'ML-001',
    '"',
    '*',
    'NEAR(',
    'title:',
    'a AND',
    'OR',
    '(',
    "'; DROP TABLE documents; --",
    '{a b}: c',
    '^x',
    '\\',
    '%',
    '-',
    'a"b',
    '💥',
    'x'.repeat(500),
  ])('takes %j as words, not as syntax', async (q) => {
    const answer = await site.visitor().get(`/doc/all/?q=${encodeURIComponent(q)}`);
    expect(answer.status).toBe(200);
  });

  it('says so when nothing matches, without repeating markup', async () => {
    const { body } = await site
      .visitor()
      .get(`/doc/all/?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(body).toContain('No document matches');
    expect(body).not.toContain('<script>alert');
  });

  it('narrows by state, author and group, and ignores what makes no sense', async () => {
    const count = async (query: string) =>
      names((await site.visitor().get(`/doc/all/?${query}`)).body).length;
    expect(await count('state=active')).toBe(2);
    expect(await count('state=published')).toBe(0);
    expect(await count('author=rivera')).toBe(2);
    expect(await count('author=%25')).toBe(0);
    expect(await count('group=nowhere')).toBe(0);
    expect(await count('state=nonsense&sort=password_hash&after=garbage')).toBe(2);
    expect(names((await site.visitor().get('/doc/in-last-call/?state=active')).body)).toEqual([]);
  });
});

describe('pages of the list', () => {
  it('neither repeat nor hide a document while rows arrive and sort keys are equal', async () => {
    const insert = (name: string, updated_at: string) =>
      site.database.write(ORIGIN, (trx) =>
        trx('documents').insert({
          name,
          title: name,
          abstract: '',
          state: 'expired',
          current_rev: '00',
          created_at: updated_at,
          updated_at,
        }),
      );
    for (let count = 0; count < 9; count += 1)
      await insert(`draft-tie-${count}-x`, '2026-01-01T00:00:00.000Z');
    for (const sort of ['updated', 'created', 'title', 'name'] as const) {
      const seen: string[] = [];
      let after: string | null = '';
      while (after !== null) {
        const page = await listDocuments(
          site.database.read,
          listQuery.parse({ state: 'expired', sort, after }),
          2,
        );
        seen.push(...page.documents.map(({ name }) => name));
        after = page.next;
        await insert(`draft-new-${sort}-${seen.length}`, '2027-01-01T00:00:00.000Z');
      }
      const ties = seen.filter((name) => name.startsWith('draft-tie-'));
      expect(ties).toHaveLength(9);
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('lead to the next by a link', async () => {
    const first = await site.visitor().get('/doc/all/?state=expired&sort=name');
    const next =
      /href="(\/doc\/all\/\?[^"]*after=[^"]+)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = await site.visitor().get(next);
    expect(names(second.body).length).toBeGreaterThan(0);
    expect(names(first.body)).not.toContain(names(second.body)[0]);
  });
});

describe('a document', () => {
  const at = '/doc/draft/draft-rivera-presence/';

  it('escapes what people wrote, in page and title', async () => {
    const { body } = await site.visitor().get(at);
    expect(body).toContain('<title>Présence &amp; &lt;Proximity&gt; · MLTF Datatracker</title>');
    expect(body).not.toContain('<Proximity>');
    expect(body).toContain('Meta-Layer Task Force');
  });

  it('is found by its bare name, for good', async () => {
    expect(await site.visitor().get('/doc/draft-rivera-presence/')).toMatchObject({
      status: 301,
      location: at,
    });
    expect((await site.visitor().get('/doc/draft-no-such/')).status).toBe(404);
  });

  it('has a history whose anchors stay', async () => {
    const { body } = await site.visitor().get(`${at}history/`);
    expect(body).toMatch(/<li id="event-\d+">/);
    expect(body).toContain(`<a href="/person/${author.userId}/">Ana Rivera</a>`);
  });

  it('is JSON without addresses of people', async () => {
    const answer = await site.visitor().get(`${at}doc.json`);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(answer.body)).toMatchObject({
      name: 'draft-rivera-presence',
      rev: '00',
      state: 'active',
      ml_number: null,
      authors: [{ name: 'Ana Rivera' }],
      revisions: [{ rev: '00', format: 'md' }],
    });
    expect(answer.body).not.toContain('@example.org');
  });

  it('is BibTeX in which TeX is escaped', async () => {
    const answer = await site.visitor().get(`${at}bibtex/`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.body).toContain('@techreport{draft-rivera-presence,');
    expect(answer.body).toContain(String.raw`title = {{Présence \& <Proximity>}}`);
  });

  it('is a file that no browser runs', async () => {
    const answer = await site.visitor().get(`${at}00/draft-rivera-presence-00.md`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    for (const wrong of [
      '00/other.md',
      '00/draft-rivera-presence-00.html',
      '01/draft-rivera-presence-01.md',
      '00/..%2f..%2fetc%2fpasswd',
    ]) {
      expect((await site.visitor().get(`${at}${wrong}`)).status).toBe(404);
    }
  });

  it('that is a PDF is a download', async () => {
    const { DRAFT } = await import('./site.ts');
    const { text: _, ...fields } = DRAFT;
    const checked = await author.upload(
      '/submit/',
      { ...fields, name: 'draft-rivera-pdf' },
      { name: 'a.pdf', content: '%PDF-1.7\n<script>' },
    );
    await author.post(`${checked.location}confirm/`);
    const answer = await site.visitor().get('/doc/draft/draft-rivera-pdf/00/draft-rivera-pdf-00.pdf');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename=draft-rivera-pdf-00.pdf');
    expect((await site.visitor().get('/doc/draft/draft-rivera-pdf/')).body).toContain(
      'This revision is a PDF.',
    );
  });
});

describe('every answer', () => {
  it('forbids scripts and styles from anywhere else, and being framed', async () => {
    const { headers, body } = await site.visitor().get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(body).not.toMatch(/<script>|style="|onclick=/);
    expect(body).not.toMatch(/(src|href)="https?:/);
  });

  it('comes with its style sheets and its script, which stay in the visitor’s cache for good', async () => {
    const { body } = await site.visitor().get('/');
    const assets = [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '');
    expect(assets.length).toBeGreaterThanOrEqual(4);
    const kept = async (address: string) =>
      (await site.visitor().get(address)).headers.get('cache-control') ?? '';
    for (const asset of assets) {
      expect((await site.visitor().get(asset)).status).toBe(200);
      expect(await kept(asset)).toBe('public, max-age=31536000, immutable');
      // Of another release, perhaps.
      expect(await kept(asset.replace(/v=.*/, 'v=0123456789ab'))).toBe('public, no-cache');
    }
    const address = new URL(assets[0] ?? '', site.url);
    const etag = (await fetch(address)).headers.get('etag') ?? '';
    // By itself fetch would say no-cache beside it.
    const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
    expect((await fetch(address, { headers })).status).toBe(304);
    expect((await site.visitor().get('/assets/..%2fsettings.ts')).status).toBe(404);
  });

  it.each([
    ['/nowhere', 404],
    ['/doc/draft/%3Cscript%3Ealert(1)%3C%2Fscript%3E/', 404],
    ['/doc/draft/a%00b/', 400],
    ['/doc/draft/%E0%A4%A/', 400],
    ['/person/0/', 404],
    ['/person/99999999999999999999/', 404],
    ['/group/nobody/', 404],
    ['/submit/status/x/', 302],
    ['/admin/', 302],
  ])('to %s is a friendly %d', async (address, status) => {
    const answer = await site.visitor().get(address);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('<script>alert');
    expect(status < 400 || answer.body.includes('Meta-Layer Task Force')).toBe(true);
  });

  it('to something that broke is a 500 with the number of the request, and nothing of the error', async () => {
    const { key } = await site.database.read('revision_files').first<{ key: string }>('storage_key as key');
    const { rmSync } = await import('node:fs');
    rmSync(`${site.files}/${key}`);
    const answer = await site.visitor().get('/doc/draft/draft-rivera-presence/');
    expect(answer.status).toBe(500);
    expect(answer.body).toContain(answer.headers.get('x-request-id'));
    expect(answer.body).not.toContain('ENOENT');
  });
});

describe('looking at pages', () => {
  it('writes nothing at all', async () => {
    const changes = async () => {
      const [row] = await site.database.read.raw<{ data_version: number }[]>('PRAGMA data_version');
      return row?.data_version;
    };
    const before = await changes();
    for (const address of [
      '/',
      '/doc/all/',
      '/doc/draft/draft-rivera-anchors/',
      '/accounts/profile/',
      '/submit/',
      '/login/',
    ]) {
      await author.get(address);
      await site.visitor().get(address);
    }
    expect(await changes()).toBe(before);
  });
});
