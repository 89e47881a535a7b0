const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Something on a page that leads to another address of the site. */
export interface Link {
  /** As written, entities resolved. */
  href: string;
  kind: 'page' | 'asset';
}

export function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name] ?? whole;
  });
}

/** The text that a visitor reads, white space made single. */
export function visibleText(html: string): string {
  const body = html.replace(/<(script|style)\b.*?<\/\1>/gis, ' ').replace(/<[^>]*>/g, ' ');
  return decode(body).replace(/\s+/g, ' ').trim();
}

export function textOf(html: string, element: string): string | null {
  const found = new RegExp(`<${element}\\b[^>]*>(.*?)</${element}>`, 'is').exec(html)?.[1];
  return found === undefined ? null : visibleText(found);
}

/** Every link, asset and GET form of a page, in the order of the page. */
export function linksOf(html: string): Link[] {
  const links: Link[] = [];
  for (const [tag, name = ''] of html.matchAll(/<(a|area|link|script|img|source|iframe|form)\b[^>]*>/gi)) {
    const link = linkOf(tag, name.toLowerCase(), html);
    if (link !== null) links.push(link);
  }
  return links;
}

function linkOf(tag: string, name: string, html: string): Link | null {
  if (name === 'form') return formLink(tag, html);
  if (name === 'a' || name === 'area') return asLink(attribute(tag, 'href'), 'page');
  if (name === 'iframe') return asLink(attribute(tag, 'src'), 'page');
  if (name !== 'link') return asLink(attribute(tag, 'src'), 'asset');
  const isAsset = /icon|stylesheet|manifest|preload/i.test(attribute(tag, 'rel') ?? '');
  return asLink(attribute(tag, 'href'), isAsset ? 'asset' : 'page');
}

/** A GET form leads to where it goes when it is sent as it stands. */
function formLink(tag: string, html: string): Link | null {
  if ((attribute(tag, 'method') ?? 'get').toLowerCase() !== 'get') return null;
  const start = html.indexOf(tag) + tag.length;
  const fields = new URLSearchParams();
  for (const [input] of html.slice(start, html.indexOf('</form>', start)).matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(input, 'name');
    if (name !== null && !/^(checkbox|radio)$/i.test(attribute(input, 'type') ?? ''))
      fields.append(name, attribute(input, 'value') ?? '');
  }
  const query = fields.toString();
  return { href: `${attribute(tag, 'action') ?? ''}${query === '' ? '' : `?${query}`}`, kind: 'page' };
}

function asLink(href: string | null, kind: Link['kind']): Link | null {
  return href === null ? null : { href, kind };
}

function attribute(tag: string, name: string): string | null {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  if (match === null) return null;
  return decode(match[1] ?? match[2] ?? match[3] ?? '');
}

/** Everything on a page that a fragment can lead to. */
export function fragmentsOf(html: string): Set<string> {
  const fragments = new Set(['top']);
  for (const [tag] of html.matchAll(/<[a-z][^>]*\s(?:id|name)\s*=[^>]*>/gi)) {
    for (const name of ['id', 'name']) {
      const value = attribute(tag, name);
      if (value !== null) fragments.add(value);
    }
  }
  return fragments;
}
