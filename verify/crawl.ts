const MOST_PAGES = 150;
/** Pages of one kind: the same path but for its names and numbers, with the same query fields. */
const MOST_OF_A_KIND = 3;

/** A link that the crawl came upon, and the first page that holds it. */
export interface Found {
  target: URL;
  kind: 'page' | 'asset';
  on: string;
}

/** Which of the found links are followed: each once, some of each kind, in the order of the pages. */
export class Selection {
  assets = 0;
  readonly #pages = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #kinds = new Map<string, number>();

  /** Without those that were only looked at for a fragment. */
  get pages(): number {
    return this.#pages.size;
  }

  choose(wave: Found[]): Found[] {
    return wave.filter((found) => this.#isNew(found) && this.#isWanted(found));
  }

  #isNew({ target: { pathname, search, hash } }: Found): boolean {
    const key = pathname + search + hash;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #isWanted({ target, kind }: Found): boolean {
    if (kind === 'asset') {
      this.assets += 1;
      return true;
    }
    const shape = shapeOf(target);
    const count = this.#kinds.get(shape) ?? 0;
    const page = target.pathname + target.search;
    if (count >= MOST_OF_A_KIND || (this.#pages.size >= MOST_PAGES && !this.#pages.has(page))) return false;
    this.#kinds.set(shape, count + 1);
    this.#pages.add(page);
    return true;
  }
}

function shapeOf({ pathname, searchParams, hash }: URL): string {
  const path = pathname
    .replace(/(?<=\/)(draft-[^/]+|ml-\d+|\d+)(?=\/|$)/g, '*')
    .replace(/^(\/group|\/feed\/group-changes)\/[^/]+(?=\/)/, '$1/*');
  const fields = [...new Set(searchParams.keys())].sort().join('&');
  return `${path}?${fields}${hash === '' ? '' : '#'}`;
}
