import { z } from 'zod';
import { Refusal, type Answer } from './answer.ts';
import type { Access } from './credentials.ts';
import type { World } from './world.ts';

export type Permission = readonly [name: string, level: 'read' | 'write'];

/** One request that was matched, and authenticated. */
export interface Call<Body, Query> {
  world: World;
  params: Record<string, string>;
  body: Body;
  query: Query;
  url: URL;
  access: Access;
}

export interface Endpoint {
  method: string;
  /** GitHub's own template: `/repos/{owner}/{repo}/statuses/{sha}`. */
  template: string;
  pattern: RegExp;
  /** null: for everybody who is authenticated; `app`: with the App's own JWT. */
  permission: Permission | null | 'app';
  handle(call: Omit<Call<unknown, unknown>, 'query'>, violate: (what: string) => void): Promise<Answer>;
}

const PAGES = {
  per_page: z.coerce.number().int().min(1).max(100).optional(),
  page: z.coerce.number().int().min(1).optional(),
};

/** An endpoint that takes exactly what GitHub documents for it. */
export function endpoint<
  B extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodRawShape = Record<string, never>,
>(
  route: string,
  definition: {
    permission: Endpoint['permission'];
    body?: B;
    query?: Q;
    pages?: true;
    answer(call: Call<z.infer<B>, z.infer<z.ZodObject<Q>>>): Promise<Answer> | Answer;
  },
): Endpoint {
  const [method = '', template = ''] = route.split(' ');
  const query = z.strictObject({ ...definition.query, ...(definition.pages && PAGES) });
  return {
    method,
    template,
    pattern: patternOf(template),
    permission: definition.permission,
    async handle(call, violate) {
      const asked = query.safeParse(Object.fromEntries(call.url.searchParams));
      if (!asked.success) violate(`query ${z.prettifyError(asked.error)}`);
      const schema = definition.body ?? z.undefined();
      // A request without a body is one with none of its optional keys.
      const given = schema.safeParse(call.body ?? (definition.body && {}));
      if (!given.success) {
        violate(`body ${z.prettifyError(given.error)}`);
        throw new Refusal(422, `Invalid request.\n\n${z.prettifyError(given.error)}`);
      }
      return await definition.answer({
        ...call,
        body: given.data as z.infer<B>,
        query: (asked.data ?? {}) as z.infer<z.ZodObject<Q>>,
      });
    },
  };
}

/** A `ref`, a `branch` and the like may hold slashes; other parameters do not. */
function patternOf(template: string): RegExp {
  const source = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    /^(ref|branch|basehead)$/.test(name) ? `(?<${name}>.+?)` : `(?<${name}>[^/]+)`,
  );
  return new RegExp(`^${source}$`);
}

export function match(
  endpoints: readonly Endpoint[],
  method: string,
  path: string,
): { endpoint: Endpoint; params: Record<string, string> } | undefined {
  for (const candidate of endpoints) {
    const found = candidate.method === method ? candidate.pattern.exec(path) : null;
    if (!found) continue;
    const params = Object.entries(found.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]);
    return { endpoint: candidate, params: Object.fromEntries(params) as Record<string, string> };
  }
  return undefined;
}
