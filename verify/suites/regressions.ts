import { check, passed, type Fault } from '../check.ts';
import type { Answer, Client } from '../client.ts';
import type { Context } from '../context.ts';
import { Selection, type Found } from '../crawl.ts';
import { fragmentsOf, linksOf } from '../page.ts';
import type { Check } from '../report.ts';

const ORIGIN = 'http://instance.invalid';

const ASSET_TYPES: Record<string, RegExp> = {
  css: /^text\/css$/,
  js: /^(text|application)\/javascript$/,
  svg: /^image\/svg\+xml$/,
  png: /^image\/png$/,
  ico: /^image\//,
  woff2: /^font\/woff2$/,
};

/** Follows links and GET forms from the start page, breadth first, and finds those that lead nowhere. */
export async function run({ client }: Context): Promise<Check[]> {
  const selection = new Selection();
  const broken: Check[] = [];
  let wave: Found[] = [{ target: new URL('/', ORIGIN), kind: 'page', on: 'nowhere' }];
  while (wave.length > 0) {
    const visits = await Promise.all(selection.choose(wave).map((found) => visit(client, found)));
    broken.push(...visits.map(({ result }) => result).filter(({ success }) => !success));
    wave = visits.flatMap(({ onward }) => onward);
  }
  if (broken.length > 0) return broken;
  return [
    passed(
      `the crawl of ${selection.pages} pages and ${selection.assets} assets`,
      'every link leads somewhere',
    ),
  ];
}

async function visit(client: Client, found: Found): Promise<{ result: Check; onward: Found[] }> {
  const { target, kind, on } = found;
  const path = target.pathname + target.search;
  const expected = kind === 'page' ? 'leads to a page' : 'loads with the right type';
  let onward: Found[] = [];
  const result = await check(`${path}${target.hash} linked from ${on}`, expected, async () => {
    const answer = await client.get(path);
    onward = onwardFrom(target, answer);
    return judge(found, answer);
  });
  return { result, onward };
}

function onwardFrom(target: URL, { status, headers, type, body }: Answer): Found[] {
  const on = target.pathname + target.search;
  const links = type === 'text/html' && status < 400 ? linksOf(body) : [];
  if (status >= 300 && status < 400 && headers.location !== undefined)
    links.push({ href: headers.location, kind: 'page' });
  return links.flatMap(({ href, kind }) => {
    if (!URL.canParse(href, target.href)) return [];
    const to = new URL(href, target.href);
    return to.origin === ORIGIN ? [{ target: to, kind, on }] : [];
  });
}

function judge({ target, kind, on }: Found, answer: Answer): Fault | null {
  if (answer.status >= 400) {
    return { actual: `gave ${answer.status}`, hint: `mend the link on ${on}, or what it leads to` };
  }
  if (kind === 'asset') return judgeAsset(target, answer);
  const fragment = decodeURIComponent(target.hash.slice(1));
  if (fragment === '' || answer.type !== 'text/html' || fragmentsOf(answer.body).has(fragment)) return null;
  return {
    actual: `has no element "${fragment}"`,
    hint: `mend the link on ${on}, or give the element that id`,
  };
}

function judgeAsset({ pathname }: URL, { type, body }: Answer): Fault | null {
  const wanted = ASSET_TYPES[/\.(\w+)$/.exec(pathname)?.[1] ?? ''];
  if (wanted !== undefined && !wanted.test(type)) {
    return {
      actual: `came as ${type || 'no type at all'}`,
      hint: 'browsers refuse a style sheet or script of another type',
    };
  }
  return body === '' ? { actual: 'came empty', hint: 'look whether the file is in the release' } : null;
}
