import { z } from 'zod';
import { created, notFound, ok, paged, Refusal } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { deployment, deploymentStatus, isoNow } from '../shapes.ts';
import type { GitHubDeployment, World } from '../world.ts';

const R = '/repos/{owner}/{repo}';
const STATES = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'] as const;

export const DEPLOYMENTS = [
  endpoint(`POST ${R}/deployments`, {
    permission: ['deployments', 'write'],
    body: z.strictObject({
      ref: z.string(),
      task: z.string().optional(),
      auto_merge: z.boolean().optional(),
      required_contexts: z.array(z.string()).optional(),
      payload: z.union([z.record(z.string(), z.unknown()), z.string()]).optional(),
      environment: z.string().optional(),
      description: z.string().max(140).nullish(),
      transient_environment: z.boolean().optional(),
      production_environment: z.boolean().optional(),
    }),
    async answer({ world, body, access }) {
      const found = await world.bare.commit(body.ref);
      if (!found) throw new Refusal(422, `No ref found for: ${body.ref}`);
      demandSuccess(world, found.sha, body.required_contexts);
      const main = await world.bare.branch('main');
      if (body.auto_merge !== false && main && !(await world.bare.contains(found.sha, main)))
        return { status: 202, body: { message: `Auto-merged main into ${body.ref} on deployment.` } };
      const environment = body.environment ?? 'production';
      const made: GitHubDeployment = {
        id: world.nextId(),
        sha: found.sha,
        ref: body.ref,
        task: body.task ?? 'deploy',
        payload: body.payload ?? {},
        environment,
        description: body.description ?? null,
        transient_environment: body.transient_environment ?? false,
        production_environment: body.production_environment ?? environment === 'production',
        creator: access.login,
        created_at: isoNow(),
        statuses: [],
      };
      world.deployments.push(made);
      return created(deployment(world, made));
    },
  }),
  endpoint(`GET ${R}/deployments`, {
    permission: ['deployments', 'read'],
    pages: true,
    query: {
      sha: z.string().optional(),
      ref: z.string().optional(),
      task: z.string().optional(),
      environment: z.string().optional(),
    },
    answer({ world, query, url }) {
      const wanted = world.deployments.filter((one) =>
        (['sha', 'ref', 'task', 'environment'] as const).every(
          (key) => (query[key] ?? 'none') === 'none' || query[key] === one[key],
        ),
      );
      return paged(
        wanted.toReversed().map((one) => deployment(world, one)),
        url,
      );
    },
  }),
  endpoint(`GET ${R}/deployments/{deployment_id}`, {
    permission: ['deployments', 'read'],
    answer: ({ world, params }) => ok(deployment(world, byId(world, params))),
  }),
  endpoint(`GET ${R}/deployments/{deployment_id}/statuses`, {
    permission: ['deployments', 'read'],
    pages: true,
    answer({ world, params, url }) {
      const of = byId(world, params);
      return paged(
        of.statuses.toReversed().map((one) => deploymentStatus(world, of, one)),
        url,
      );
    },
  }),
  endpoint(`POST ${R}/deployments/{deployment_id}/statuses`, {
    permission: ['deployments', 'write'],
    body: z.strictObject({
      state: z.enum(STATES),
      target_url: z.string().optional(),
      log_url: z.string().optional(),
      description: z.string().max(140).optional(),
      environment: z.string().optional(),
      environment_url: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).optional(),
      auto_inactive: z.boolean().optional(),
    }),
    answer({ world, params, body, access }) {
      const of = byId(world, params);
      const add = (to: GitHubDeployment, state: string, more: Partial<typeof body> = {}) => {
        const one = {
          id: world.nextId(),
          state,
          description: more.description ?? '',
          environment: more.environment ?? to.environment,
          environment_url: more.environment_url ?? '',
          log_url: more.log_url ?? more.target_url ?? '',
          creator: access.login,
          created_at: isoNow(),
        };
        to.statuses.push(one);
        return one;
      };
      const made = add(of, body.state, body);
      if (body.state === 'success' && body.auto_inactive !== false)
        for (const one of superseded(world, of)) add(one, 'inactive');
      return created(deploymentStatus(world, of, made));
    },
  }),
];

/** 409 while a required status, or without a list any status of the commit, is not a success. */
function demandSuccess(world: World, sha: string, required: string[] | undefined): void {
  const all = world.statuses.filter((one) => one.sha === sha);
  const newest = new Map(all.map((one) => [one.context, one.state]));
  const contexts = required ?? [...newest.keys()];
  const missing = contexts.filter((context) => newest.get(context) !== 'success');
  if (missing.length === 0) return;
  throw new Refusal(409, `Conflict: Commit status checks failed for ${sha}.`, {
    errors: [{ resource: 'Deployment', field: 'required_contexts', code: 'invalid', contexts: missing }],
  });
}

/** Earlier ones in the same environment that are neither transient nor in production. */
function superseded(world: World, by: GitHubDeployment): GitHubDeployment[] {
  return world.deployments.filter(
    (one) =>
      one.id < by.id &&
      one.environment === by.environment &&
      !one.transient_environment &&
      !one.production_environment &&
      one.statuses.at(-1)?.state === 'success',
  );
}

function byId(world: World, params: Record<string, string>): GitHubDeployment {
  const found = world.deployments.find(({ id }) => String(id) === params['deployment_id']);
  if (!found) throw notFound();
  return found;
}
