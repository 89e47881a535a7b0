import { z } from 'zod';
import { created, invalid, notFound, ok, paged, Refusal, type Answer } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { pingEvent } from '../events.ts';
import { api, isoNow } from '../shapes.ts';
import type { Delivery, Hook } from '../webhooks.ts';
import type { World } from '../world.ts';

const R = '/repos/{owner}/{repo}';
const READ = ['repository_hooks', 'read'] as const;
const WRITE = ['repository_hooks', 'write'] as const;
const CONFIG = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).optional(),
  content_type: z.enum(['json', 'form']).optional(),
  secret: z.string().optional(),
  insecure_ssl: z.union([z.string(), z.number()]).optional(),
});
type Config = z.infer<typeof CONFIG>;

export const HOOKS = [
  endpoint(`GET ${R}/hooks`, {
    permission: READ,
    pages: true,
    answer: ({ world, url }) =>
      paged(
        world.webhooks.hooks.map((one) => shape(world, one)),
        url,
      ),
  }),
  endpoint(`POST ${R}/hooks`, {
    permission: WRITE,
    body: z.strictObject({
      name: z.literal('web').optional(),
      config: CONFIG.optional(),
      events: z.array(z.string()).optional(),
      active: z.boolean().optional(),
    }),
    answer({ world, body }) {
      const url = body.config?.url;
      if (url === undefined) throw invalid('Hook', 'url', 'missing_field');
      if (world.webhooks.hooks.some((one) => one.config.url === url))
        throw new Refusal(422, 'Validation Failed', {
          errors: [{ resource: 'Hook', code: 'custom', message: 'Hook already exists on this repository' }],
        });
      const made: Hook = {
        id: world.nextId(),
        active: body.active ?? true,
        events: body.events ?? ['push'],
        config: withConfig({ url, content_type: 'form', insecure_ssl: '0' }, body.config ?? {}),
        created_at: isoNow(),
      };
      world.webhooks.hooks.push(made);
      world.webhooks.ping(made, pingEvent(world, { id: made.id, shape: shape(world, made) }));
      return created(shape(world, made));
    },
  }),
  endpoint(`GET ${R}/hooks/{hook_id}`, {
    permission: READ,
    answer: ({ world, params }) => ok(shape(world, byId(world, params))),
  }),
  endpoint(`PATCH ${R}/hooks/{hook_id}`, {
    permission: WRITE,
    body: z.strictObject({
      config: CONFIG.optional(),
      events: z.array(z.string()).optional(),
      add_events: z.array(z.string()).optional(),
      remove_events: z.array(z.string()).optional(),
      active: z.boolean().optional(),
    }),
    answer({ world, params, body }) {
      const found = byId(world, params);
      // A config takes the place of the old one; a secret that is left out is gone.
      if (body.config)
        found.config = withConfig(
          { url: found.config.url, content_type: 'form', insecure_ssl: '0' },
          body.config,
        );
      found.events = (body.events ?? found.events)
        .concat(body.add_events ?? [])
        .filter((event, index, all) => all.indexOf(event) === index && !body.remove_events?.includes(event));
      found.active = body.active ?? found.active;
      return ok(shape(world, found));
    },
  }),
  endpoint(`GET ${R}/hooks/{hook_id}/config`, {
    permission: READ,
    answer: ({ world, params }) => ok(shape(world, byId(world, params)).config),
  }),
  endpoint(`PATCH ${R}/hooks/{hook_id}/config`, {
    permission: WRITE,
    body: CONFIG,
    answer({ world, params, body }) {
      const found = byId(world, params);
      found.config = withConfig(found.config, body);
      return ok(shape(world, found).config);
    },
  }),
  endpoint(`POST ${R}/hooks/{hook_id}/pings`, {
    permission: READ,
    answer({ world, params }) {
      const found = byId(world, params);
      world.webhooks.ping(found, pingEvent(world, { id: found.id, shape: shape(world, found) }));
      return { status: 204 };
    },
  }),
  endpoint(`GET ${R}/hooks/{hook_id}/deliveries`, {
    permission: READ,
    query: {
      per_page: z.coerce.number().int().min(1).max(100).optional(),
      cursor: z.string().optional(),
      status: z.enum(['success', 'failure']).optional(),
    },
    answer({ world, params, query, url }) {
      const { id } = byId(world, params);
      const isFailure = (one: Delivery) => one.status_code < 200 || one.status_code > 399;
      const all = world.webhooks.deliveries
        .filter((one) => one.hook.id === id)
        .filter((one) => query.status === undefined || isFailure(one) === (query.status === 'failure'));
      return byCursor(all.toReversed(), query, url);
    },
  }),
  endpoint(`GET ${R}/hooks/{hook_id}/deliveries/{delivery_id}`, {
    permission: READ,
    answer({ world, params }) {
      const found = world.webhooks.deliveries.find(({ id }) => String(id) === params['delivery_id']);
      if (!found) throw notFound();
      return ok({
        ...delivered(found),
        url: found.hook.config.url,
        request: { headers: {}, payload: found.payload },
        response: { headers: {}, payload: null },
      });
    },
  }),
  endpoint(`POST ${R}/hooks/{hook_id}/deliveries/{delivery_id}/attempts`, {
    permission: WRITE,
    answer({ world, params }) {
      byId(world, params);
      if (!world.webhooks.redeliver(Number(params['delivery_id']))) throw notFound();
      return { status: 202, body: {} };
    },
  }),
];

/** GitHub pages deliveries by a cursor, the id of the one that comes next. */
function byCursor(
  all: Delivery[],
  query: { per_page?: number | undefined; cursor?: string | undefined },
  url: URL,
): Answer {
  const size = query.per_page ?? 30;
  const from = query.cursor === undefined ? 0 : all.findIndex(({ id }) => String(id) === query.cursor);
  if (from < 0) throw new Refusal(422, 'Invalid cursor');
  const next = all[from + size];
  const target = new URL(url);
  if (next) target.searchParams.set('cursor', String(next.id));
  return {
    status: 200,
    body: all.slice(from, from + size).map(delivered),
    ...(next && { headers: { link: `<${target.href}>; rel="next"` } }),
  };
}

function delivered(one: Delivery) {
  const { id, guid, delivered_at, redelivery, duration, status, status_code, event } = one;
  const action = 'action' in one.payload ? one.payload.action : null;
  return {
    id,
    guid,
    delivered_at,
    redelivery,
    duration,
    status,
    status_code,
    event,
    action,
    installation_id: null,
    repository_id: 42,
    throttled_at: null,
  };
}

function withConfig(old: Hook['config'], given: Config): Hook['config'] {
  return {
    url: given.url ?? old.url,
    content_type: given.content_type ?? old.content_type,
    insecure_ssl: String(given.insecure_ssl ?? old.insecure_ssl) === '1' ? '1' : '0',
    secret: given.secret ?? old.secret,
  };
}

/** The secret is never shown. */
function shape(world: World, one: Hook) {
  const url = `${api(world)}/repos/${world.fullName}/hooks/${one.id}`;
  const { secret, ...config } = one.config;
  return {
    type: 'Repository',
    id: one.id,
    name: 'web',
    active: one.active,
    events: one.events,
    config: { ...config, ...(secret && { secret: '********' }) },
    created_at: one.created_at,
    updated_at: one.created_at,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  };
}

function byId(world: World, params: Record<string, string>): Hook {
  const found = world.webhooks.hooks.find(({ id }) => String(id) === params['hook_id']);
  if (!found) throw notFound();
  return found;
}
