import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postDraft, startSite, type Browser, type Site } from './site.ts';

const A = '/doc/draft/draft-rivera-a/comments/';
const B = '/doc/draft/draft-rivera-b/comments/';
const ORIGIN = { actorId: null, deploymentId: '', requestId: '' };

let site: Site;
let ana: Browser;
let bo: Browser;
beforeAll(async () => {
  site = await startSite();
  ana = await site.member('Ana Rivera');
  bo = await site.member('Bo Stone');
  await postDraft(ana, { name: 'draft-rivera-a' });
  await postDraft(ana, { name: 'draft-rivera-b' });
});
afterAll(() => site.close());

/** Posts a comment; resolves to its id. */
async function say(who: Browser, body: string, parent?: number): Promise<number> {
  const answer = await who.post(A, parent === undefined ? { body } : { body, parent: String(parent) });
  return Number(/comments\/(\d+)\/$/.exec(answer.location ?? '')?.[1]);
}

const later = (seconds: number) => {
  site.clock.now = new Date(site.clock.now.getTime() + seconds * 1000);
};

describe('a comment', () => {
  it('is shown as safe Markdown, and answered below itself', async () => {
    const first = await say(bo, 'A *question*.');
    const answer = await say(ana, 'An answer.', first);
    const { body } = await site.visitor().get(A);
    expect(body).toContain('A <em>question</em>.');
    expect(body.indexOf(`id="comment-${first}"`)).toBeLessThan(body.indexOf(`id="comment-${answer}"`));
    expect(body).toMatch(new RegExp(`class="comment indent-1" id="comment-${answer}"`));
  });

  it.each([
    ['<script>alert(1)</script>', '<script>alert'],
    ['<img src=x onerror=alert(1)>', '<img src=x'],
    ['[click](javascript:alert(1))', 'href="javascript:'],
    ['[click](JaVaScRiPt:alert(1))', 'href="JaVaScRiPt:'],
    ['[click](data:text/html,x)', 'href="data:'],
    ['[click](//evil.example)', 'href="//evil'],
    ['![spy](https://evil.example/pixel)', 'src="https://evil'],
    ['</textarea><script>alert(1)</script>', '<script>alert'],
  ])('of %j is harmless', async (text, never) => {
    await say(bo, text);
    expect((await site.visitor().get(A)).body).not.toContain(never);
  });

  it.each([
    ['', 'is required'],
    ['x'.repeat(10_001), 'at most 10000'],
  ])('of the wrong length is refused', async (text, said) => {
    const answer = await bo.post(A, { body: text });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(said);
  });

  it('cannot answer one of another document, or one that is not there', async () => {
    const id = await say(bo, 'In A.');
    expect((await bo.post(B, { body: 'From B', parent: String(id) })).status).toBe(404);
    expect((await bo.post(A, { body: 'To nobody', parent: '999999' })).status).toBe(404);
  });

  it('is tied to its document by the database itself', async () => {
    const id = await say(bo, 'In A.');
    const doc = await site.database
      .read('documents')
      .where({ name: 'draft-rivera-b' })
      .first<{ id: number }>('id');
    const row = {
      doc_id: doc.id,
      parent_id: id,
      root_id: id,
      depth: 1,
      author_id: bo.userId,
      body: 'x',
      created_at: 'now',
    };
    await expect(site.database.write(ORIGIN, (trx) => trx('comments').insert(row))).rejects.toThrow(
      /FOREIGN KEY/,
    );
  });

  it('needs an account', async () => {
    expect((await site.visitor().post(A, { body: 'Anonymous' })).location).toMatch(/^\/login\//);
    expect((await site.visitor().get(A)).body).toContain('to take part in the discussion');
  });
});

describe('changing a comment', () => {
  it('is possible at 14:59 and not at 15:00, by the server clock', async () => {
    const id = await say(bo, 'Original.');
    later(14 * 60 + 59);
    expect((await site.visitor().get(A)).body).not.toContain(`${A}${id}/edit`);
    expect((await bo.get(A)).body).toContain(`${A}${id}/edit`);
    expect((await bo.post(`${A}${id}/edit`, { body: 'Edited.' })).status).toBe(302);
    later(1);
    expect((await bo.get(A)).body).not.toContain(`${A}${id}/edit`);
    expect((await bo.post(`${A}${id}/edit`, { body: 'Too late.' })).status).toBe(403);
    expect((await bo.post(`${A}${id}/delete`)).status).toBe(403);
    const { body } = await site.visitor().get(A);
    expect(body).toContain('Edited.');
    expect(body).not.toContain('Too late.');
  });

  it('takes no time from the client, and an edit does not extend the window', async () => {
    const id = await say(bo, 'Mine.');
    later(14 * 60);
    await bo.post(`${A}${id}/edit`, { body: 'Again.' });
    later(60);
    const forged = { body: 'Forged.', created_at: '2999-01-01T00:00:00.000Z', now: '2000-01-01' };
    expect((await bo.post(`${A}${id}/edit`, forged, { date: 'Mon, 04 May 2020 12:00:00 GMT' })).status).toBe(
      403,
    );
  });

  it('is for its author, at its own document', async () => {
    const id = await say(bo, 'Mine.');
    expect((await ana.get(`${A}${id}/edit`)).status).toBe(404);
    expect((await ana.post(`${A}${id}/edit`, { body: 'Hers.' })).status).toBe(403);
    for (const address of [`${B}${id}/edit`, `${B}${id}/delete`, `${A}999999/edit`, `${A}x/edit`]) {
      expect((await bo.post(address, { body: 'Elsewhere.' })).status).toBe(404);
    }
  });

  it('keeps the text that was', async () => {
    const id = await say(bo, 'First words.');
    await bo.post(`${A}${id}/edit`, { body: 'Second words.' });
    const versions = await site.database
      .read('comment_versions')
      .where({ comment_id: id })
      .pluck<string[]>('body');
    expect(versions).toEqual(['First words.']);
    expect((await bo.post(`${A}${id}/edit`, { body: ' ' })).status).toBe(422);
  });

  it('by deleting leaves a placeholder, the answers, and the original for administrators', async () => {
    const id = await say(bo, 'Regretted words.');
    await say(ana, 'An answer to it.', id);
    expect((await bo.get(`${A}${id}/edit`)).body).toContain('Delete comment');
    expect((await bo.post(`${A}${id}/delete`)).status).toBe(302);
    const { body } = await site.visitor().get(A);
    expect(body).toContain('This comment was deleted by its author.');
    expect(body).not.toContain('Regretted words.');
    expect(body).toContain('An answer to it.');
    const administrator = await site.member('Ada Admin', 'administrator');
    expect((await administrator.get(A)).body).toContain('Regretted words.');
    expect((await bo.post(`${A}${id}/edit`, { body: 'Back.' })).status).toBe(403);
    expect((await ana.post(A, { body: 'Late answer.', parent: String(id) })).status).toBe(404);
  });
});

describe('long discussions', () => {
  it('render when they are 10,000 deep, and every comment can be found by its address', async () => {
    await postDraft(ana, { name: 'draft-rivera-deep' });
    const address = '/doc/draft/draft-rivera-deep/comments/';
    const doc = await site.database
      .read('documents')
      .where({ name: 'draft-rivera-deep' })
      .first<{ id: number }>('id');
    const root = 1_000_000;
    const row = (index: number) => ({
      id: root + index,
      doc_id: doc.id,
      parent_id: index === 0 ? null : root + index - 1,
      root_id: index === 0 ? null : root,
      depth: index,
      author_id: bo.userId,
      body: `Comment ${index}.`,
      created_at: site.clock.now.toISOString(),
    });
    await site.database.write(ORIGIN, (trx) =>
      trx.batchInsert(
        'comments',
        Array.from({ length: 10_000 }, (_, index) => row(index)),
        50,
      ),
    );
    const started = process.cpuUsage();
    const page = await site.visitor().get(address);
    const { user, system } = process.cpuUsage(started);
    expect(user + system, 'microseconds').toBeLessThan(3_000_000);
    expect(page.body).toContain('Comment 0.');
    expect(page.body).toContain('9800 more in this thread');
    const place = await site.visitor().get(`${address}${root + 9999}/`);
    expect(place.location).toBe(`${address}?thread=${root}&skip=9800#comment-${root + 9999}`);
    expect((await site.visitor().get(place.location ?? '')).body).toContain('Comment 9999.');
    expect((await site.visitor().get(`${A}?thread=${root}`)).status).toBe(404);
  });

  it('are paged by root, and a comment is found on its page', async () => {
    await postDraft(ana, { name: 'draft-rivera-many' });
    const address = '/doc/draft/draft-rivera-many/comments/';
    for (let count = 0; count < 21; count += 1) await bo.post(address, { body: `Thread ${count}.` });
    const first = await site.visitor().get(address);
    expect(first.body).toContain('Thread 19.');
    expect(first.body).not.toContain('Thread 20.');
    const next =
      /href="([^"]+)"[^>]*>\s*More comments/.exec(first.body)?.[1] ??
      /rel="next"\s+href="([^"]+)"/.exec(first.body)?.[1] ??
      '';
    expect((await site.visitor().get(next)).body).toContain('Thread 20.');
    const last = await site.database
      .read('comments')
      .where({ body: 'Thread 20.' })
      .first<{ id: number }>('id');
    const found = await site.visitor().follow(await site.visitor().get(`${address}${last.id}/`));
    expect(found.body).toContain('Thread 20.');
  });
});
