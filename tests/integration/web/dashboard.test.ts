import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyDeployment } from './fake-operations.ts';
import { serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
});
afterEach(() => web.close());

async function page(path: string) {
  const response = await fetch(web.url + path, { headers: { accept: 'text/html' } });
  expect(response.headers.get('content-type')).toContain('text/html');
  return { response, html: await response.text() };
}

const HOSTILE = `"><script>alert(1)</script>'<img src=x onerror=alert(1)>&`;

describe('the overview', () => {
  it('says what is live, what runs, what waits, the lock and the quarantine, with problems on top', async () => {
    const live = {
      ...emptyDeployment('d1'),
      tag: 'v2026.11.20',
      liveAt: '2026-11-20T12:00:05.000Z',
      requestedBy: 'cli:alice',
    };
    const running = web.operations.addDeployment({ id: 'd2', commit: 'beefbeefbeef' });
    web.operations.stage('d2', 'rehearse', 'running', null);
    web.operations.addEnvironment('prod', {
      live,
      running: web.operations.deploymentsById.get('d2') ?? running,
      waiting: { ...emptyDeployment('d3'), commit: 'cafecafecafe' },
      last: { ...emptyDeployment('d0'), outcome: 'rejected', cause: 'routes: GET / was 500' },
      lock: { reason: 'release day', holder: 'bob', since: '2026-11-20T12:00:00.000Z' },
      quarantined: ['badbadbadbad'],
    });
    web.operations.problemList = ['the forge is out of reach since 12:00'];
    const { html } = await page('/');
    for (const said of [
      'v2026.11.20',
      'cli:alice',
      'beefbeef',
      'cafecafe',
      'routes: GET / was 500',
      'release day',
      'badbadba',
    ]) {
      expect(html).toContain(said);
    }
    expect(html).toContain('rehearse: running');
    expect(html).toContain('https://forge.example/commit/beefbeefbeef');
    expect(html.indexOf('the forge is out of reach')).toBeLessThan(html.indexOf('id="env-prod"'));
    expect(html).toContain('data-live="/api/deployments/d2"');
    expect(html).toContain('<meta http-equiv="refresh" content="5" />');
  });

  it('says what to do when there is nothing yet', async () => {
    const { html } = await page('/');
    expect(html).toContain('No environment yet');
    expect(html).toContain('None yet');
    expect(html).not.toContain('http-equiv="refresh"');
  });

  it('says that an environment has nothing live', async () => {
    web.operations.addEnvironment('dev');
    expect((await page('/')).html).toContain('Nothing is live');
  });
});

describe('the page of a deployment', () => {
  const suites = [
    { name: 'service', success: true, durationMs: 3, checks: [check('answers', true)] },
    {
      name: 'routes',
      success: false,
      durationMs: 70_000,
      checks: [check('GET /a', true), check('GET /b', false)],
    },
  ];

  it('tells outcome and cause first, failed checks before passed ones, stages, log and commands', async () => {
    web.operations.addDeployment({ id: 'd1', suites, requestedBy: 'push' });
    web.operations.stage('d1', 'fetch', 'done', 120);
    web.operations.stage('d1', 'verify', 'failed', 71_000, 'routes failed');
    for (let line = 1; line <= 100; line += 1) web.operations.addLine('d1', `line ${line};`);
    web.operations.finish('d1', 'rejected', 'routes: GET /b was 500');
    const { html } = await page('/deployments/d1');
    const order = [
      'routes: GET /b was 500',
      'Stages',
      'GET /b</strong>',
      'expected 200',
      'app/b.ts:7',
      'GET /a',
      'line 100;',
    ];
    const places = order.map((text) => html.indexOf(text));
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
    expect(html).toContain('1 min 11 s');
    expect(html).toContain('20 earlier lines');
    expect(html).not.toContain('line 20;');
    expect(html).toContain('npx deployer verify dev');
    expect(html).toContain('npx deployer show d1');
  });

  it('of a failure shows the last lines of its instance and what reproduces it, escaped', async () => {
    const logTail = ['Error: </code><script>alert(1)</script>'];
    web.operations.addDeployment({ id: 'd1', logTail, reproduce: ['git checkout --detach 1f2e'] });
    web.operations.finish('d1', 'rejected', 'it crashed');
    const { html } = await page('/deployments/d1');
    expect(html).toContain('Error: &lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('git checkout --detach 1f2e');
  });

  it('tells a running one with where its changes come from', async () => {
    web.operations.addDeployment({ id: 'd1' });
    const { html } = await page('/deployments/d1');
    expect(html).toContain('data-live="/api/deployments/d1"');
    expect(html).toContain('npx deployer logs d1 --follow');
    expect(html).toContain('Nothing was logged');
  });

  it('is a page that says so where there is none', async () => {
    const { response, html } = await page(`/deployments/nope`);
    expect(response.status).toBe(404);
    expect(html).toContain('there is no deployment nope');
  });
});

describe('what strangers wrote', () => {
  it('is escaped wherever it is shown', async () => {
    const hostile = web.operations.addDeployment({
      id: 'd1',
      branch: HOSTILE,
      commit: HOSTILE,
      tree: HOSTILE,
      tag: HOSTILE,
      cause: HOSTILE,
      requestedBy: HOSTILE,
      requestedAt: HOSTILE,
      suites: [
        {
          name: HOSTILE,
          success: false,
          durationMs: 1,
          checks: [
            {
              name: HOSTILE,
              success: false,
              expected: HOSTILE,
              actual: HOSTILE,
              hint: HOSTILE,
              location: HOSTILE,
            },
          ],
        },
      ],
    });
    web.operations.stage('d1', 'fetch', 'failed', 1, HOSTILE);
    web.operations.addLine('d1', HOSTILE);
    web.operations.addEnvironment('dev', {
      live: hostile,
      running: hostile,
      waiting: hostile,
      last: { ...hostile, id: 'd9' },
      lock: { reason: HOSTILE, holder: HOSTILE, since: HOSTILE },
      quarantined: [HOSTILE],
    });
    web.operations.problemList = [HOSTILE];
    for (const path of ['/', '/deployments/d1']) {
      const { response, html } = await page(path);
      expect(response.status).toBe(200);
      expect(html).not.toContain('<script>alert');
      expect(html).not.toContain('<img src=x');
      expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    }
  });
});

describe('every page', () => {
  it('loads and runs only its own files, in no frame, and keeps no token', async () => {
    const { response, html } = await page('/');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect(html).not.toMatch(/<style|style=|<script>| on\w+="/);
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it.each([
    ['style.css', 'text/css'],
    ['live.js', 'text/javascript'],
    ['icon.svg', 'image/svg+xml'],
  ])('gets %s from here', async (name, type) => {
    const response = await fetch(`${web.url}/assets/${name}`);
    expect(response.headers.get('content-type')).toContain(type);
    const file = new URL(`../../../deployer/web/assets/${name}`, import.meta.url);
    expect(await response.text()).toBe(await readFile(file, 'utf8'));
  });
});

function check(name: string, success: boolean) {
  return {
    name,
    success,
    expected: 'expected 200',
    actual: '500',
    hint: 'look at the handler',
    location: 'app/b.ts:7',
  };
}
