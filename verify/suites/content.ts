import { check, type Fault } from '../check.ts';
import type { Answer, Client } from '../client.ts';
import type { Context } from '../context.ts';
import type { Reader } from '../database/reader.ts';
import { locate } from '../locate.ts';
import { linksOf, textOf, visibleText } from '../page.ts';
import type { Check } from '../report.ts';

const STATE_LABELS: Record<string, string> = {
  active: 'Active draft',
  'last-call': 'In last call',
  approved: 'Approved',
  published: 'Published',
  expired: 'Expired',
  withdrawn: 'Withdrawn',
};

/** What no visitor should ever read. */
const INNARDS = [
  /\n\s+at .+\((?:file:|node:|\/).+:\d+\)/,
  /\bSQLITE_[A-Z]+\b/,
  /\[object Object\]/,
  /node:internal/,
];
const PROBE = '<verify a="b">';

interface DocumentRow {
  name: string;
  title: string;
  state: string;
  ml_number: number | null;
}

/** Do the pages show what they should, and what the database holds? */
export async function run({ client, reader }: Context): Promise<Check[]> {
  const database = await reader();
  const sample = (where: string): Promise<DocumentRow[]> =>
    database.all(`select name, title, state, ml_number from documents ${where} order by id limit 1`);
  const documents = [...(await sample('')), ...(await sample('where ml_number is not null'))];
  return Promise.all([
    check('the home page', 'has a title, the name of the house and navigation', async () =>
      judgeHome(await client.get('/')),
    ),
    check('the list of documents', 'lists every document of the database once', () =>
      judgeList(client, database),
    ),
    ...documents.map((row) =>
      check(`the page of ${row.name}`, 'shows title, state and number', async () =>
        judgeDocument(await client.get(addressOf(row.name)), row),
      ),
    ),
    ...['/', '/doc/all/', `/${encodeURIComponent(PROBE)}/`].map((path) =>
      check(`the page ${path}`, 'shows nothing of the inside', async () =>
        judgeInnards(await client.get(path)),
      ),
    ),
    check('a search for markup', 'shows it escaped', async () =>
      judgeEscaping(await client.get(`/doc/all/?q=${encodeURIComponent(PROBE)}`)),
    ),
    check('a page that does not exist', 'is 404 and a page', async () =>
      judgeMissing(await client.get('/verify-absent-page/')),
    ),
  ]);
}

function judgeHome({ status, body }: Answer): Fault | null {
  const location = () => locate('app/pages', 'export function layout');
  const hint = 'look at the frame that all pages share';
  if (status !== 200) return { actual: `gave ${status}`, hint: "look into the instance's log", location };
  if (!textOf(body, 'title')) return { actual: 'has no title', hint, location };
  const header = textOf(body, 'header') ?? '';
  if (!header.includes('Meta-Layer Task Force'))
    return { actual: 'lacks "Meta-Layer Task Force" in its header', hint, location };
  const navigation = /<nav\b.*?<\/nav>/is.exec(body)?.[0] ?? '';
  return linksOf(navigation).some(({ href }) => href === '/doc/all/')
    ? null
    : { actual: 'has no navigation to /doc/all/', hint, location };
}

async function judgeList(client: Client, reader: Reader): Promise<Fault | null> {
  const location = () => locate('app', "get('/doc/all/'");
  const before = await countDocuments(reader);
  const { names, total, complete, fault } = await walkList(client);
  if (fault !== null) return { ...fault, location };
  const after = await countDocuments(reader);
  const hint = 'the list and the database disagree: look at its filter and its paging';
  const wanted = (count: number): boolean =>
    count >= Math.min(before, after) && count <= Math.max(before, after);
  if (new Set(names).size !== names.length) return { actual: 'lists a document twice', hint, location };
  if (!wanted(total))
    return { actual: `says ${total} documents, but the database has ${after}`, hint, location };
  if (complete && !wanted(names.length))
    return { actual: `lists ${names.length} of ${after} documents`, hint, location };
  return null;
}

const MOST_LIST_PAGES = 4;

/** Follows "next" as a visitor would, for some pages. */
async function walkList(client: Client) {
  const names: string[] = [];
  let total = -1;
  let path: string | null = '/doc/all/';
  for (let page = 0; page < MOST_LIST_PAGES && path !== null; page++) {
    const { status, body } = await client.get(path);
    if (status !== 200) {
      return {
        names,
        total,
        complete: false,
        fault: { actual: `gave ${status} at ${path}`, hint: "look into the instance's log" },
      };
    }
    if (page === 0) total = Number(/\b(\d+) documents?\b/.exec(visibleText(body))?.[1] ?? -1);
    names.push(...documentNames(body));
    path = nextOf(body, path);
  }
  return { names, total, complete: path === null, fault: null };
}

/** Path and query of the page that the "next" link leads to; null: it is the last. */
function nextOf(html: string, path: string): string | null {
  const tag = /<a\b[^>]*\brel="next"[^>]*>/i.exec(html)?.[0];
  const [link] = tag === undefined ? [] : linksOf(tag);
  if (link === undefined) return null;
  const { pathname, search } = new URL(link.href, `http://instance.invalid${path}`);
  return pathname + search;
}

function documentNames(html: string): string[] {
  const headings = [...html.matchAll(/<h2>\s*<a\b[^>]*>/gi)].flatMap(([heading]) => linksOf(heading));
  return headings.map(({ href }) => href).filter((href) => href.startsWith('/doc/draft/'));
}

async function countDocuments(reader: Reader): Promise<number> {
  const [row] = await reader.all<{ count: number | string }>('select count(*) as count from documents');
  return Number(row?.count ?? 0);
}

function judgeDocument({ status, body }: Answer, { title, state, ml_number }: DocumentRow): Fault | null {
  const location = () => locate('app', "get('/doc/draft/:name/'");
  if (status !== 200) return { actual: `gave ${status}`, hint: "look into the instance's log", location };
  const text = visibleText(body);
  const number = ml_number === null ? [] : [`ML-${String(ml_number).padStart(3, '0')}`];
  const lacking = [single(title), STATE_LABELS[state] ?? state, ...number].find(
    (part) => !text.includes(part),
  );
  return lacking === undefined
    ? null
    : { actual: `does not show "${lacking}"`, hint: 'look at the page of a document', location };
}

function judgeInnards({ status, body }: Answer): Fault | null {
  const found = INNARDS.map((pattern) => pattern.exec(body)?.[0]).find((text) => text !== undefined);
  if (found !== undefined)
    return {
      actual: `shows "${single(found).slice(0, 80)}"`,
      hint: 'an error or an object was printed into the page',
    };
  return status >= 500 ? { actual: `gave ${status}`, hint: "look into the instance's log" } : null;
}

function judgeEscaping({ status, body }: Answer): Fault | null {
  const location = () => locate('app', "get('/doc/all/'");
  if (status !== 200) return { actual: `gave ${status}`, hint: "look into the instance's log", location };
  if (body.includes(PROBE))
    return { actual: 'shows it as markup', hint: 'markup must only come from the html template', location };
  return body.includes('&lt;verify')
    ? null
    : { actual: 'does not show what was searched for', hint: 'look at the list page', location };
}

function judgeMissing({ status, type }: Answer): Fault | null {
  if (status === 404 && type === 'text/html') return null;
  return { actual: `gave ${status} ${type}`, hint: 'look at how unknown addresses are answered' };
}

function addressOf(name: string): string {
  return `/doc/draft/${encodeURIComponent(name)}/`;
}

function single(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
