import { z } from 'zod';
import { created, invalid, notFound, ok, paged, Refusal } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { commit, isoNow, pull, wholePull } from '../shapes.ts';
import type { Pull, World } from '../world.ts';

const R = '/repos/{owner}/{repo}';

export const PULLS = [
  endpoint(`GET ${R}/pulls`, {
    permission: ['pull_requests', 'read'],
    pages: true,
    query: {
      state: z.enum(['open', 'closed', 'all']).optional(),
      head: z.string().optional(),
      base: z.string().optional(),
      sort: z.enum(['created', 'updated', 'popularity', 'long-running']).optional(),
      direction: z.enum(['asc', 'desc']).optional(),
    },
    answer({ world, query, url }) {
      const { state = 'open', head, base } = query;
      const wanted = world.pulls.filter(
        (one) =>
          (state === 'all' || one.state === state) &&
          (base === undefined || one.base.ref === base) &&
          // GitHub ignores a head without an owner.
          (!head?.includes(':') || `${one.head.repository.split('/')[0]}:${one.head.ref}` === head),
      );
      const ordered = query.direction === 'asc' ? wanted : wanted.toReversed();
      return paged(
        ordered.map((one) => pull(world, one)),
        url,
      );
    },
  }),
  endpoint(`POST ${R}/pulls`, {
    permission: ['pull_requests', 'write'],
    body: z.strictObject({
      title: z.string().optional(),
      head: z.string(),
      head_repo: z.string().optional(),
      base: z.string(),
      body: z.string().max(65_536).optional(),
      maintainer_can_modify: z.boolean().optional(),
      draft: z.boolean().optional(),
      issue: z.number().int().optional(),
    }),
    answer: async ({ world, body, access }) =>
      created(await wholePull(world, await openPull(world, access.login, body))),
  }),
  endpoint(`GET ${R}/pulls/{pull_number}`, {
    permission: ['pull_requests', 'read'],
    answer: async ({ world, params }) => ok(await wholePull(world, byNumber(world, params))),
  }),
  endpoint(`PATCH ${R}/pulls/{pull_number}`, {
    permission: ['pull_requests', 'write'],
    body: z.strictObject({
      title: z.string().optional(),
      body: z.string().max(65_536).optional(),
      state: z.enum(['open', 'closed']).optional(),
      base: z.string().optional(),
      maintainer_can_modify: z.boolean().optional(),
    }),
    async answer({ world, params, body, access }) {
      const found = byNumber(world, params);
      found.title = body.title ?? found.title;
      found.body = body.body ?? found.body;
      if (body.state === 'closed' && found.state === 'open') await world.closePull(found, access.login);
      if (body.state === 'open' && found.state === 'closed') {
        if (found.merged_at)
          throw invalid(
            'PullRequest',
            'state',
            'custom',
            'state cannot be changed. The pull request cannot be reopened.',
          );
        found.state = 'open';
        await world.tellPull(found, 'reopened', access.login);
      }
      return ok(await wholePull(world, found));
    },
  }),
  endpoint(`GET ${R}/pulls/{pull_number}/commits`, {
    permission: ['pull_requests', 'read'],
    pages: true,
    async answer({ world, params, url }) {
      const { base, head } = byNumber(world, params);
      const all = await world.bare.log(`${base.sha}..${head.sha}`, '--reverse');
      return paged(
        all.map((one) => commit(world, one)),
        url,
      );
    },
  }),
  endpoint(`PUT ${R}/pulls/{pull_number}/merge`, {
    permission: ['contents', 'write'],
    body: z.strictObject({
      commit_title: z.string().optional(),
      commit_message: z.string().optional(),
      sha: z.string().optional(),
      merge_method: z.enum(['merge', 'squash', 'rebase']).optional(),
    }),
    async answer({ world, params, body, access }) {
      const sha = await mergePull(world, byNumber(world, params), access.login, body);
      return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
    },
  }),
];

/** As `POST /pulls`, of a branch of the same repository. */
export async function openPull(
  world: World,
  by: string,
  wanted: {
    title?: string | undefined;
    head: string;
    base: string;
    body?: string | undefined;
    draft?: boolean | undefined;
  },
): Promise<Pull> {
  const branch = wanted.head.replace(`${world.owner}:`, '');
  const head = await world.bare.branch(branch);
  const base = await world.bare.branch(wanted.base);
  if (!base) throw invalid('PullRequest', 'base', 'invalid');
  if (!head) throw invalid('PullRequest', 'head', 'invalid');
  if (wanted.title === undefined) throw invalid('PullRequest', 'title', 'missing_field');
  const twin = world.pulls.find(
    (one) =>
      one.state === 'open' &&
      one.head.ref === branch &&
      one.base.ref === wanted.base &&
      one.head.repository === world.fullName,
  );
  const problem = twin
    ? `A pull request already exists for ${world.owner}:${branch}.`
    : (await world.bare.log(`${base}..${head}`)).length === 0
      ? `No commits between ${wanted.base} and ${branch}`
      : null;
  if (problem)
    throw new Refusal(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequest', code: 'custom', message: problem }],
    });
  return await keepPull(world, by, {
    title: wanted.title,
    body: wanted.body,
    draft: wanted.draft,
    head: { ref: branch, sha: head, repository: world.fullName },
    base: { ref: wanted.base, sha: base },
  });
}

export async function keepPull(
  world: World,
  by: string,
  of: Pick<Pull, 'title' | 'head' | 'base'> & { body?: string | undefined; draft?: boolean | undefined },
): Promise<Pull> {
  const made: Pull = {
    number: world.nextNumber(),
    title: of.title,
    body: of.body ?? null,
    user: by,
    state: 'open',
    labels: [],
    created_at: isoNow(),
    head: of.head,
    base: of.base,
    draft: of.draft ?? false,
    merged_at: null,
    merge_commit_sha: null,
  };
  world.pulls.push(made);
  await world.keepPullRef(made);
  await world.tellPull(made, 'opened', by);
  return made;
}

/** Merges as the button does: a merge commit, or one squashed commit with GitHub's messages. */
export async function mergePull(
  world: World,
  one: Pull,
  by: string,
  how: {
    merge_method?: string | undefined;
    sha?: string | undefined;
    commit_title?: string | undefined;
    commit_message?: string | undefined;
  } = {},
): Promise<string> {
  const base = await world.bare.branch(one.base.ref);
  if (one.state !== 'open' || !base) throw new Refusal(405, 'Pull Request is not mergeable');
  if (how.sha !== undefined && how.sha !== one.head.sha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  if (how.merge_method === 'rebase')
    throw new Refusal(405, 'Rebase merges are not allowed on this repository.');
  const tree = await world.bare.mergeTree(base, one.head.sha);
  if (tree === undefined) throw new Refusal(405, 'Pull Request is not mergeable');
  const squash = how.merge_method === 'squash';
  const message = squash ? await squashMessage(world, one, base, how) : mergeMessage(one, how);
  const sha = await world.bare.commitTree(tree, squash ? [base] : [base, one.head.sha], message);
  await world.bare.git('update-ref', `refs/heads/${one.base.ref}`, sha, base);
  one.merged_at = isoNow();
  one.merge_commit_sha = sha;
  await world.observe(by);
  if (squash) await world.closePull(one, by);
  return sha;
}

function mergeMessage(
  one: Pull,
  how: { commit_title?: string | undefined; commit_message?: string | undefined },
): string {
  const owner = one.head.repository.split('/')[0];
  return `${how.commit_title ?? `Merge pull request #${one.number} from ${owner}/${one.head.ref}`}\n\n${how.commit_message ?? one.title}`;
}

/** One commit: its own message; several: each as an item of a list. */
async function squashMessage(
  world: World,
  one: Pull,
  base: string,
  how: { commit_title?: string | undefined; commit_message?: string | undefined },
): Promise<string> {
  const commits = await world.bare.log(`${base}..${one.head.sha}`, '--reverse', '--no-merges');
  const [only] = commits;
  const bodyOf = (message: string) => message.split('\n').slice(1).join('\n').trim();
  const title = commits.length === 1 && only ? only.message.split('\n')[0] : one.title;
  const body =
    commits.length === 1 && only
      ? bodyOf(only.message)
      : commits.map(({ message }) => `* ${message}`).join('\n\n');
  return `${how.commit_title ?? `${title} (#${one.number})`}\n\n${how.commit_message ?? body}`.trim();
}

function byNumber(world: World, params: Record<string, string>): Pull {
  const found = world.pulls.find(({ number }) => String(number) === params['pull_number']);
  if (!found) throw notFound();
  return found;
}
