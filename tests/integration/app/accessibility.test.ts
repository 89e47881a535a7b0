import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postDraft, startSite, type Site } from './site.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const ALL = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** A theme changes colours only. */
const RULES = { light: ALL, dark: ['color-contrast', 'link-in-text-block'] };

const PUBLIC = [
  '/',
  '/doc/all/',
  '/doc/all/?q=nothing-like-it',
  '/doc/draft/draft-rivera-presence/',
  '/doc/draft/draft-rivera-presence/00/',
  '/doc/draft/draft-rivera-presence/history/',
  '/doc/draft/draft-rivera-presence/comments/',
  '/group/',
  '/login/',
  '/accounts/create/',
  '/nowhere',
];
const STAFF = [
  '/doc/draft/draft-rivera-presence/comments/',
  '/accounts/profile/',
  '/submit/',
  '/admin/',
  '/admin/submissions/',
  '/admin/users/',
  '/admin/groups/',
  '/admin/audit/',
];

const present = existsSync(CHROMIUM);

it('has a browser to be judged by, on the forge at least', () => {
  // a developer may go without; then this is all that is tested here
  expect(present || process.env['CI'] !== 'true').toBe(true);
});

describe.each(present ? [CHROMIUM] : [])('accessibility by axe in %s (WCAG 2.2 AA)', () => {
  let site: Site;
  let context: BrowserContext;
  let session: string;
  const profile = mkdtempSync(path.join(tmpdir(), 'datatracker-chromium-'));
  beforeAll(async () => {
    site = await startSite();
    const staff = await site.member('Ada Admin', 'administrator', 'approver');
    session = staff.cookies.get('session') ?? '';
    await postDraft(staff);
    await postDraft(staff, { rev: '01', title: 'Presence, Again' });
    await staff.post('/doc/draft/draft-rivera-presence/comments/', {
      body: 'A *comment* with `code` and a [link](https://example.org).',
    });
    await staff.post('/doc/draft/draft-rivera-presence/comments/', { body: '# A heading\n\n> quoted' });
    context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      args: FLAGS,
    });
  });
  afterAll(async () => {
    await context.close();
    await site.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  const pages = [
    ...PUBLIC.map((address) => [address, false] as const),
    ...STAFF.map((address) => [address, true] as const),
  ];

  it.each(['light', 'dark'] as const)('finds nothing on any page in %s', async (theme) => {
    const page = await context.newPage();
    const found: string[] = [];
    for (const [address, isStaff] of pages) {
      await context.clearCookies();
      await context.addCookies([
        { name: 'theme', value: theme, url: site.url },
        ...(isStaff ? [{ name: 'session', value: session, url: site.url }] : []),
      ]);
      await page.goto(site.url + address);
      found.push(...(await violations(page, RULES[theme])).map((violation) => `${address}: ${violation}`));
    }
    await page.close();
    expect(found).toEqual([]);
  });

  it('fits a phone without scrolling sideways', async () => {
    const page = await context.newPage();
    await page.setViewportSize({ width: 320, height: 640 });
    const wide: string[] = [];
    for (const address of PUBLIC) {
      await page.goto(site.url + address);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      if (Number(width) > 320) wide.push(`${address}: ${String(width)}`);
    }
    await page.close();
    expect(wide).toEqual([]);
  });

  it('follows the system theme when none was chosen', async () => {
    const page = await context.newPage();
    await context.clearCookies();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(site.url);
    expect(await page.getAttribute('html', 'data-bs-theme')).toBe('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => page.getAttribute('html', 'data-bs-theme')).toBe('light');
    await page.close();
  });
});

async function violations(page: Page, rules: string[]): Promise<string[]> {
  // evaluated by the debugger, which the page's own content policy does not bind
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const run = `axe.run(document, { runOnly: ${JSON.stringify(rules)} }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html.slice(0, 120)).slice(0, 2).join(' | ')))`;
  return page.evaluate<string[]>(run);
}
