import { z } from 'zod';
import { created, notFound, ok } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { shortRepository, user } from '../shapes.ts';
import type { World } from '../world.ts';

const INSTALLATION = 815;
const LIFETIME_MS = 3_600_000;
const LEVELS = z.record(z.string(), z.enum(['read', 'write']));

export const APPS = [
  endpoint('GET /app', {
    permission: 'app',
    answer: ({ world }) =>
      ok({
        id: 4711,
        slug: installed(world).slug,
        permissions: installed(world).permissions,
        events: ['push'],
      }),
  }),
  endpoint('GET /repos/{owner}/{repo}/installation', {
    permission: 'app',
    answer: ({ world }) => ok(installation(world)),
  }),
  endpoint('GET /app/installations/{installation_id}', {
    permission: 'app',
    answer({ world, params }) {
      if (params['installation_id'] !== String(INSTALLATION)) throw notFound();
      return ok(installation(world));
    },
  }),
  endpoint('POST /app/installations/{installation_id}/access_tokens', {
    permission: 'app',
    body: z.strictObject({
      repositories: z.array(z.string()).optional(),
      repository_ids: z.array(z.number().int()).optional(),
      permissions: LEVELS.optional(),
    }),
    answer({ world, params, body }) {
      if (params['installation_id'] !== String(INSTALLATION)) throw notFound();
      const app = installed(world);
      const permissions = body.permissions ?? app.permissions;
      const token = world.credentials.grant(`${app.slug}[bot]`, permissions, {
        prefix: 'ghs_',
        lifetimeMs: LIFETIME_MS,
      });
      return created({
        token,
        expires_at: new Date(world.credentials.now() + LIFETIME_MS).toISOString(),
        permissions,
        repository_selection: 'selected',
        repositories: [shortRepository(world, world.fullName)],
      });
    },
  }),
];

function installed(world: World) {
  const { app } = world.credentials;
  if (!app) throw notFound();
  return app;
}

function installation(world: World) {
  const { slug, permissions } = installed(world);
  return {
    id: INSTALLATION,
    account: user(world, world.owner),
    app_id: 4711,
    app_slug: slug,
    target_type: 'User',
    repository_selection: 'selected',
    permissions,
    events: ['push', 'pull_request'],
    suspended_at: null,
  };
}
