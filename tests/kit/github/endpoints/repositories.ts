import { z } from 'zod';
import { created, notFound, ok, paged, Refusal } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { api, commit, pull, repository, shortRepository, user } from '../shapes.ts';
import type { World } from '../world.ts';

const R = '/repos/{owner}/{repo}';

export const REPOSITORIES = [
  endpoint(`GET ${R}`, { permission: ['metadata', 'read'], answer: ({ world }) => ok(repository(world)) }),
  endpoint(`GET ${R}/branches`, {
    permission: ['contents', 'read'],
    pages: true,
    query: { protected: z.enum(['true', 'false']).optional() },
    async answer({ world, url, query }) {
      const names = [...(await world.bare.refs()).keys()].filter((name) => name.startsWith('refs/heads/'));
      const all = await Promise.all(names.map((name) => branch(world, name.slice(11))));
      const wanted =
        query.protected === undefined ? all : all.filter((one) => String(one.protected) === query.protected);
      return paged(
        wanted.map(({ name, commit: { sha, url: at }, protected: is }) => ({
          name,
          commit: { sha, url: at },
          protected: is,
        })),
        url,
      );
    },
  }),
  endpoint(`GET ${R}/branches/{branch}/protection`, {
    permission: ['administration', 'read'],
    async answer({ world, params }) {
      const { protection_url: url } = await branch(world, params['branch'] ?? '');
      const found = world.protection.get(params['branch'] ?? '');
      if (!found) throw new Refusal(404, 'Branch not protected');
      const { contexts, strict } = found;
      const checks = contexts.map((context) => ({ context, app_id: null }));
      return ok({
        url,
        required_status_checks: { url: `${url}/required_status_checks`, strict, contexts, checks },
      });
    },
  }),
  endpoint(`GET ${R}/rules/branches/{branch}`, {
    permission: ['metadata', 'read'],
    pages: true,
    answer: ({ url }) => paged([], url),
  }),
  endpoint(`GET ${R}/branches/{branch}`, {
    permission: ['contents', 'read'],
    answer: async ({ world, params }) => ok(await branch(world, params['branch'] ?? '')),
  }),
  endpoint(`GET ${R}/commits`, {
    permission: ['contents', 'read'],
    pages: true,
    query: {
      sha: z.string().optional(),
      path: z.string().optional(),
      author: z.string().optional(),
      committer: z.string().optional(),
      since: z.string().optional(),
      until: z.string().optional(),
    },
    async answer({ world, query, url }) {
      const head = await world.bare.commit(query.sha ?? 'main');
      if (!head) throw notFound();
      return paged(
        (await world.bare.log(head.sha)).map((one) => commit(world, one)),
        url,
      );
    },
  }),
  endpoint(`GET ${R}/commits/{ref}/pulls`, {
    permission: ['pull_requests', 'read'],
    pages: true,
    async answer({ world, params, url }) {
      const found = await need(world, params['ref'] ?? '');
      const of = world.pulls.filter(({ head, merge_commit_sha }) =>
        [head.sha, merge_commit_sha].includes(found.sha),
      );
      return paged(
        of.map((one) => pull(world, one)),
        url,
      );
    },
  }),
  endpoint(`GET ${R}/commits/{ref}`, {
    permission: ['contents', 'read'],
    pages: true,
    async answer({ world, params }) {
      return ok({
        ...commit(world, await need(world, params['ref'] ?? '')),
        stats: { total: 0, additions: 0, deletions: 0 },
        files: [],
      });
    },
  }),
  endpoint(`GET ${R}/compare/{basehead}`, {
    permission: ['contents', 'read'],
    pages: true,
    async answer({ world, params }) {
      const [from = '', to = ''] = (params['basehead'] ?? '').split('...');
      const [base, head] = [await need(world, from), await need(world, to)];
      const ahead = (await world.bare.log(`${base.sha}..${head.sha}`)).toReversed();
      const behind = await world.bare.log(`${head.sha}..${base.sha}`);
      const state =
        ahead.length > 0
          ? behind.length > 0
            ? 'diverged'
            : 'ahead'
          : behind.length > 0
            ? 'behind'
            : 'identical';
      return ok({
        status: state,
        ahead_by: ahead.length,
        behind_by: behind.length,
        total_commits: ahead.length,
        base_commit: commit(world, base),
        commits: ahead.slice(0, 250).map((one) => commit(world, one)),
        files: [],
      });
    },
  }),
  endpoint(`POST ${R}/merges`, {
    permission: ['contents', 'write'],
    body: z.strictObject({ base: z.string(), head: z.string(), commit_message: z.string().optional() }),
    async answer({ world, body, access }) {
      const base = await world.bare.branch(body.base);
      if (!base) throw new Refusal(404, 'Base does not exist');
      const head = await world.bare.commit(body.head);
      if (!head) throw new Refusal(404, 'Head does not exist');
      if (await world.bare.contains(base, head.sha)) return { status: 204 };
      const tree = await world.bare.mergeTree(base, head.sha);
      if (tree === undefined) throw new Refusal(409, 'Merge conflict');
      const sha = await world.bare.commitTree(
        tree,
        [base, head.sha],
        body.commit_message ?? `Merge ${body.head} into ${body.base}`,
      );
      await world.bare.git('update-ref', `refs/heads/${body.base}`, sha, base);
      await world.observe(access.login);
      return created(commit(world, await need(world, sha)));
    },
  }),
  endpoint('GET /user', { permission: null, answer: ({ world, access }) => ok(user(world, access.login)) }),
  endpoint('GET /rate_limit', {
    permission: null,
    answer: () => {
      const core = { limit: 5000, used: 1, remaining: 4999, reset: Math.ceil(Date.now() / 1000) + 3600 };
      return ok({ resources: { core, search: { ...core, limit: 30 } }, rate: core });
    },
  }),
  endpoint('GET /installation/repositories', {
    permission: null,
    pages: true,
    answer: ({ world, url }) =>
      paged([shortRepository(world, world.fullName)], url, (repositories) => ({
        total_count: 1,
        repositories,
      })),
  }),
];

async function branch(world: World, name: string) {
  const sha = await world.bare.branch(name);
  if (!sha) throw new Refusal(404, 'Branch not found');
  const found = world.protection.get(name);
  const url = `${api(world)}/repos/${world.fullName}/branches/${name}`;
  return {
    name,
    commit: commit(world, await need(world, sha)),
    _links: { self: url, html: url },
    protected: found !== undefined,
    protection: {
      enabled: found !== undefined,
      required_status_checks: {
        enforcement_level: found ? 'everyone' : 'off',
        contexts: found?.contexts ?? [],
        checks: [],
      },
    },
    protection_url: `${url}/protection`,
  };
}

async function need(world: World, ref: string) {
  const found = await world.bare.commit(ref);
  if (!found)
    throw /^[0-9a-f]{40}$/.test(ref) ? new Refusal(422, `No commit found for SHA: ${ref}`) : notFound();
  return found;
}
