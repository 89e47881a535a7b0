import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { appliedMigrations, newestShipped } from '../database/schema-version.ts';
import { Problem, badRequest, notFound } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import type { Visit } from '../http/visit.ts';

export const deployRoutes: Route[] = [
  get('/_deploy/health', 'anyone', showHealth),
  get('/_deploy/status', 'anyone', showStatus),
  get('/_deploy/routes', 'anyone', showRoutes),
  { method: 'put', path: '/_deploy/mode', allow: 'anyone', handle: changeMode },
  post('/_deploy/reload', 'anyone', reload),
];

/** Healthy: the database answers, and has every migration that this release ships. A newer schema is the deployer's to judge: a release may be taken back onto it. */
async function showHealth(visit: Visit): Promise<Reply> {
  const applied = await migrationsOf(visit);
  const database = applied === null ? 'unavailable' : isBehind(applied) ? 'migrations pending' : 'ok';
  const healthy = database === 'ok';
  return json({ status: healthy ? 'ok' : 'unavailable', database, service: 'ok' }, healthy ? 200 : 503);
}

function isBehind(applied: string[]): boolean {
  return (applied.at(-1) ?? '') < (newestShipped() ?? '');
}

async function showStatus(visit: Visit): Promise<Reply> {
  const { settings, mode } = visit.services;
  const applied = await migrationsOf(visit);
  return json({
    environment: settings.ENVIRONMENT,
    git_branch: settings.RELEASE_BRANCH,
    git_commit: settings.RELEASE_COMMIT,
    git_tree: settings.RELEASE_TREE,
    deployment_id: settings.DEPLOYMENT_ID,
    deployed_at: settings.DEPLOYED_AT,
    service_status: applied === null ? 'degraded' : 'running',
    database_version: applied?.at(-1) ?? null,
    migrations_applied: applied ?? [],
    mode: mode.isOn(),
  });
}

function showRoutes(visit: Visit): Reply {
  refuseOutsiders(visit);
  return json({ routes: visit.routes() });
}

const modeBody = z.strictObject({ deployment_mode: z.boolean() });

async function changeMode(visit: Visit): Promise<Reply> {
  refuseOutsiders(visit);
  const body = modeBody.safeParse(visit.json);
  if (!body.success) throw badRequest('expected {"deployment_mode": true|false}');
  await visit.services.mode.set(body.data.deployment_mode);
  return { kind: 'empty', status: 204 };
}

/** Dev only: the database is opened anew, so that a file that was put in its place by hand is seen. */
async function reload(visit: Visit): Promise<Reply> {
  const { ENVIRONMENT, RELOAD_TOKEN } = visit.services.settings;
  if (ENVIRONMENT !== 'dev') throw notFound();
  if (RELOAD_TOKEN === undefined || !isBearer(visit.headers['authorization'], RELOAD_TOKEN)) {
    throw new Problem(401, 'A bearer token is required: RELOAD_TOKEN, a secret of this environment.', {
      'WWW-Authenticate': 'Bearer',
    });
  }
  await visit.services.database.reopen();
  return json({ reloaded: ['database'] });
}

function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Null: the database does not answer. */
async function migrationsOf(visit: Visit): Promise<string[] | null> {
  try {
    return await appliedMigrations(visit.services.database.read);
  } catch (error) {
    visit.services.log.warn({ requestId: visit.requestId, err: error }, 'the database does not answer');
    return null;
  }
}

/** The front door names the client; whoever talks to the instance's own socket is the deployer. */
function refuseOutsiders(visit: Visit): void {
  if (visit.headers['x-forwarded-for'] !== undefined) throw notFound();
}
