import { describe, expect, test } from 'vitest';
import { databases } from './database.ts';
import { frame, instance, reply, type InstanceOptions } from './instance.ts';
import { judge, judgeSocket } from './judge.ts';

const { copy } = databases();

describe('service', () => {
  test('passes a sound instance that is the release it should be', async () => {
    expect(
      await judge('service', { file: copy() }, { env: { RELEASE_COMMIT: 'abc', DEPLOYMENT_ID: 'd1' } }),
    ).toEqual([]);
  });

  test('finds another release at the address', async () => {
    const env = { RELEASE_COMMIT: 'abc9', DEPLOYMENT_ID: 'd2' };
    expect(await judge('service', { file: copy() }, { env })).toEqual([
      'the git_commit of the instance is "abc"',
      'the deployment_id of the instance is "d1"',
    ]);
  });

  test('finds an unhealthy instance and a status without its fields', async () => {
    const faults = {
      'GET /_deploy/health': reply(503, '{"database":"migrations pending"}', 'application/json'),
      'GET /_deploy/status': reply(200, '{"environment":"dev"}', 'application/json'),
    };
    expect(await judge('service', { file: copy(), faults })).toEqual([
      'GET /_deploy/health gave 503: {"database":"migrations pending"}',
      'GET /_deploy/status lacks the field git_branch',
    ]);
  });

  test('finds a field of the wrong type and an answer that is no JSON', async () => {
    const faults = { 'GET /_deploy/health': reply(200, 'fine') };
    expect(await judge('service', { file: copy(), faults, status: { mode: 'off' } })).toEqual([
      'GET /_deploy/health lacks the field status',
      'GET /_deploy/status has mode as "off"',
    ]);
  });
});

describe('an instance that does not answer', () => {
  /** With as much time as this machine needs for what does answer. */
  async function judgedInTime(faults: NonNullable<InstanceOptions['faults']>) {
    for (let timeoutMs = 200; ; timeoutMs *= 2) {
      const failed = await judge('service', { file: copy(), faults }, { timeoutMs });
      if (failed.length === 1 || timeoutMs > 10_000) return { timeoutMs, failed };
    }
  }

  test('is a failed check after the time limit, not a hang', async () => {
    const faults = { 'GET /_deploy/health': () => {} };
    const { timeoutMs, failed } = await judgedInTime(faults);
    expect(failed).toEqual([`GET /_deploy/health did not answer within ${timeoutMs / 1000} s`]);
  });

  test('that stops in the middle of a body is a failed check', async () => {
    const faults = {
      'GET /_deploy/health': (_: unknown, response: { write(text: string): void }) => response.write('{'),
    };
    const { timeoutMs, failed } = await judgedInTime(faults);
    expect(failed).toEqual([`GET /_deploy/health did not answer within ${timeoutMs / 1000} s`]);
  });

  test('is not asked for everything once it has let several requests wait', async () => {
    const file = copy();
    const hung = await instance({ file, faults: new Proxy({}, { get: () => () => {} }) });
    const faults = await judgeSocket('routes', hung.socket, file, { timeoutMs: 100 });
    expect(faults.length).toBeGreaterThan(10);
    expect(faults.at(-1)).toContain('was not asked any more: the instance had stopped answering');
    expect(hung.asked.length).toBeLessThan(12);
  });

  test('because nothing listens names the reason', async () => {
    expect((await judgeSocket('service', '/nowhere/x.sock', copy()))[0]).toBe(
      'GET /_deploy/health gave no answer (ENOENT)',
    );
    const url = 'http://127.0.0.1:1';
    expect((await judgeSocket('service', null, copy(), { url }))[0]).toContain(
      'gave no answer (ECONNREFUSED)',
    );
    const secure = 'https://127.0.0.1:1';
    expect((await judgeSocket('service', null, copy(), { url: secure }))[0]).toContain('ECONNREFUSED');
  });

  test('sends without end is cut off', async () => {
    const endless = reply(200, 'x'.repeat(17 * 1024 * 1024), 'application/json');
    const faults = { 'GET /_deploy/health': endless };
    expect(await judge('service', { file: copy(), faults })).toEqual([
      'GET /_deploy/health sent more than 16 MB',
    ]);
  });
});

describe('routes', () => {
  test.for(['seeded', 'empty'] as const)('passes a sound instance on a database that is %s', async (kind) => {
    expect(await judge('routes', { file: copy(kind) })).toEqual([]);
  });

  test('accepts that writes are refused while an instance is verified, and nothing else', async () => {
    const file = copy();
    expect(await judge('routes', { file, mode: true })).toEqual([]);
    const faults = { 'POST /theme/': reply(403) };
    expect(await judge('routes', { file, mode: true, faults })).toEqual(['POST /theme/ gave 403']);
  });

  test('finds a route that answers 500, a write that is carried out, and a write that is gone', async () => {
    const faults = {
      'GET /doc/draft/draft-ada-layer-one/history/': reply(500),
      'POST /theme/': reply(200),
      'POST /doc/draft/draft-ada-layer-two/comments/1/delete': reply(404),
    };
    expect(await judge('routes', { file: copy(), faults })).toEqual(
      expect.arrayContaining([
        'POST /theme/ gave 200',
        'GET /doc/draft/:name/history/ gave 500 for /doc/draft/draft-ada-layer-one/history/',
        'POST /doc/draft/:name/comments/:id/delete gave 404 for /doc/draft/draft-ada-layer-two/comments/1/delete',
      ]),
    );
  });

  test('finds a page without its text, of another type, and a redirect to elsewhere', async () => {
    const faults = {
      'GET /doc/active/': reply(200, frame('nothing')),
      'GET /doc/draft/draft-ada-layer-one/doc.json': reply(200, '{"name":1}'),
      'GET /doc/draft/draft-ada-layer-two/comments/1/edit': reply(302, '', 'text/html', {
        location: 'http://evil.example/',
      }),
    };
    expect((await judge('routes', { file: copy(), faults })).join('\n')).toBe(
      [
        'GET /doc/active/ lacks "Active drafts"',
        'GET /doc/draft/:name/doc.json came as text/html for /doc/draft/draft-ada-layer-one/doc.json',
        'GET /doc/draft/:name/comments/:id/edit gave 302 to http://evil.example/ for /doc/draft/draft-ada-layer-two/comments/1/edit',
      ].join('\n'),
    );
  });

  test('finds a route that the table does not know, and one that has disappeared', async () => {
    const routes = (all: { method: string; path: string }[]) => [
      ...all.filter(({ path }) => path !== '/doc/active/'),
      { method: 'GET', path: '/brand/new/' },
    ];
    expect(await judge('routes', { file: copy(), routes })).toEqual([
      'GET /brand/new/ has no check',
      'GET /doc/active/ has disappeared',
    ]);
  });

  test('finds an instance that does not say its routes, unless it is asked through the front door', async () => {
    const file = copy();
    const none = { 'GET /_deploy/routes': reply(200, '{"routes":1}', 'application/json') };
    expect(await judge('routes', { file, faults: none })).toEqual([
      'the table of routes could not be compared: GET /_deploy/routes lists none',
    ]);
    expect(await judge('routes', { file, hideRoutes: true })).toEqual(
      expect.arrayContaining(['GET /_deploy/routes gave 404']),
    );
  });
});

describe('regressions', () => {
  test('passes an instance whose links all lead somewhere', async () => {
    expect(await judge('regressions', { file: copy() })).toEqual([]);
  });

  test('finds a broken link and names the page that holds it', async () => {
    const faults = {
      'GET /': reply(200, frame('<a href="/doc/gone/deep/">x</a><a href="https://other.example/404">y</a>')),
    };
    expect(await judge('regressions', { file: copy(), faults })).toEqual([
      '/doc/gone/deep/ linked from / gave 404',
    ]);
  });

  test('follows redirects and GET forms with their fields', async () => {
    const faults = {
      'GET /': reply(
        200,
        frame('<a href="/old/">x</a><form action="/find/"><input name="q" value="a b"></form>'),
      ),
      'GET /old/': reply(301, '', 'text/html', { location: '/new/' }),
    };
    expect(await judge('regressions', { file: copy(), faults })).toEqual([
      '/find/?q=a+b linked from / gave 404',
      '/new/ linked from /old/ gave 404',
    ]);
  });

  test('finds a fragment that no element has, on the same page and on another', async () => {
    const faults = {
      'GET /': reply(
        200,
        frame('<a href="#nowhere">x</a><a href="/doc/all/#gone">y</a><a href="#main">z</a>'),
      ),
    };
    expect(await judge('regressions', { file: copy(), faults })).toEqual([
      '/#nowhere linked from / has no element "nowhere"',
      '/doc/all/#gone linked from / has no element "gone"',
    ]);
  });

  test('finds a style sheet that is missing, of another type, or empty', async () => {
    const file = copy();
    const broken = (answer: ReturnType<typeof reply>) =>
      judge('regressions', { file, faults: { 'GET /site.css': answer } });
    expect(await broken(reply(404))).toEqual(['/site.css linked from / gave 404']);
    expect(await broken(reply(200, '<p>', 'text/html'))).toEqual([
      '/site.css linked from / came as text/html',
    ]);
    expect(await broken(reply(200, '', 'text/css'))).toEqual(['/site.css linked from / came empty']);
  });

  test('ends on a site without end', async () => {
    let asked = 0;
    const file = copy();
    const { socket } = await instance({
      file,
      faults: new Proxy(
        {},
        {
          get:
            () =>
            (
              _: unknown,
              response: { writeHead(status: number, headers: object): { end(body: string): void } },
            ) => {
              const links = Array.from({ length: 9 }, () => `<a href="/p${asked++}x/">x</a>`);
              response.writeHead(200, { 'content-type': 'text/html' }).end(links.join(''));
            },
        },
      ),
    });
    expect(await judgeSocket('regressions', socket, file)).toEqual([]);
    expect(asked / 9).toBe(150);
  });
});

describe('content', () => {
  test.for(['seeded', 'empty'] as const)('passes a sound instance on a database that is %s', async (kind) => {
    expect(await judge('content', { file: copy(kind) })).toEqual([]);
  });

  test.for([
    ['gave 500', reply(500)],
    ['has no title', reply(200, '<html><header>Meta-Layer Task Force</header></html>')],
    [
      'lacks "Meta-Layer Task Force" in its header',
      reply(200, frame('').replace('Meta-Layer', 'Metal-Layer')),
    ],
    ['has no navigation to /doc/all/', reply(200, frame('').replace('/doc/all/', '/doc/some/'))],
  ] as const)('finds a home page that %s', async ([sentence, answer]) => {
    const faults = { 'GET /': answer };
    expect((await judge('content', { file: copy(), faults }))[0]).toBe(`the home page ${sentence}`);
  });

  test.for([
    ['gave 500 at /doc/all/', reply(500)],
    ['says 2 documents, but the database has 3', reply(200, frame('2 documents'))],
    ['lists 0 of 3 documents', reply(200, frame('3 documents'))],
    [
      'lists a document twice',
      reply(
        200,
        frame('3 documents<h2><a href="/doc/draft/a/">a</a></h2><h2><a href="/doc/draft/a/">a</a></h2>'),
      ),
    ],
  ] as const)('finds a list of documents that %s', async ([sentence, answer]) => {
    const faults = { 'GET /doc/all/': answer };
    expect((await judge('content', { file: copy(), faults }))[0]).toBe(`the list of documents ${sentence}`);
  });

  test('finds a document whose title, state or number is not shown', async () => {
    const address = 'GET /doc/draft/draft-ada-layer-one/';
    const name = 'the page of draft-ada-layer-one';
    const body = '<h1>Layers &lt;&amp; &quot;levels&quot;&gt;</h1>';
    const broken = async (text: string) =>
      (await judge('content', { file: copy(), faults: { [address]: reply(200, frame(text)) } }))[0];
    expect(await broken('')).toBe(`${name} does not show "Layers <& "levels">"`);
    expect(await broken(body)).toBe(`${name} does not show "Published"`);
    expect(await broken(`${body} Published ML-0001`)).toBe(`${name} does not show "ML-001"`);
  });

  test('finds markup that is not escaped, a stack trace, and an address that wrongly exists', async () => {
    const search = `GET /doc/all/?q=${encodeURIComponent('<verify a="b">')}`;
    const faults = {
      [search]: reply(200, frame('for <verify a="b">')),
      'GET /verify-absent-page/': reply(200),
      [`GET /${encodeURIComponent('<verify a="b">')}/`]: reply(
        404,
        'Error: x\n    at run (file:///srv/app/x.ts:3:4)\n',
      ),
    };
    expect(await judge('content', { file: copy(), faults })).toEqual([
      expect.stringMatching(/^the page \/%3Cverify.* shows "at run \(file:.*"$/),
      'a search for markup shows it as markup',
      'a page that does not exist gave 200 text/html',
    ]);
  });
});
