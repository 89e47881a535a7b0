import { z } from 'zod';
import { created, invalid, ok, paged, Refusal } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { isoNow, repository, status } from '../shapes.ts';
import type { Status, World } from '../world.ts';

const R = '/repos/{owner}/{repo}';
/** GitHub's limits: of a description, and of statuses for one commit and context. */
const MOST_LETTERS = 140;
const MOST_STATUSES = 1000;

export const STATUSES = [
  endpoint(`POST ${R}/statuses/{sha}`, {
    permission: ['statuses', 'write'],
    body: z.strictObject({
      state: z.enum(['error', 'failure', 'pending', 'success']),
      target_url: z.url({ protocol: /^https?$/ }).nullish(),
      description: z.string().nullish(),
      context: z.string().optional(),
    }),
    async answer({ world, params, body, access }) {
      const sha = params['sha'] ?? '';
      const found = /^[0-9a-f]{40}$/.test(sha) ? await world.bare.commit(sha) : undefined;
      if (!found) throw new Refusal(422, `No commit found for SHA: ${sha}`);
      const context = body.context ?? 'default';
      if (Array.from(body.description ?? '').length > MOST_LETTERS)
        throw new Refusal(422, 'Validation Failed', {
          errors: [
            {
              resource: 'Status',
              code: 'custom',
              field: 'description',
              message: `description is too long (maximum is ${MOST_LETTERS} characters)`,
            },
          ],
        });
      if (/[\u{10000}-\u{10ffff}]/u.test(body.description ?? ''))
        throw invalid('Status', 'description', 'custom', "description doesn't accept 4-byte Unicode");
      if (world.statuses.filter((one) => one.sha === sha && one.context === context).length >= MOST_STATUSES)
        throw new Refusal(422, 'Validation Failed', {
          errors: [
            {
              resource: 'Status',
              code: 'custom',
              message: 'This SHA and context has reached the maximum number of statuses.',
            },
          ],
        });
      const made: Status = {
        id: world.nextId(),
        sha,
        context,
        state: body.state,
        description: body.description ?? null,
        target_url: body.target_url ?? null,
        creator: access.login,
        created_at: isoNow(),
      };
      world.statuses.push(made);
      return created(status(world, made));
    },
  }),
  endpoint(`GET ${R}/commits/{ref}/statuses`, {
    permission: ['statuses', 'read'],
    pages: true,
    answer: async ({ world, params, url }) =>
      paged(
        (await ofRef(world, params['ref'] ?? '')).map((one) => status(world, one)),
        url,
      ),
  }),
  endpoint(`GET ${R}/commits/{ref}/status`, {
    permission: ['statuses', 'read'],
    pages: true,
    async answer({ world, params }) {
      const all = await ofRef(world, params['ref'] ?? '');
      const newest = all.filter(
        (one, index) => all.findIndex(({ context }) => context === one.context) === index,
      );
      const states = new Set(newest.map(({ state }) => state));
      const state =
        states.has('error') || states.has('failure')
          ? 'failure'
          : states.has('pending') || states.size === 0
            ? 'pending'
            : 'success';
      return ok({
        state,
        sha: all[0]?.sha,
        total_count: newest.length,
        statuses: newest.map((one) => status(world, one)),
        repository: repository(world),
      });
    },
  }),
];

/** Newest first. */
async function ofRef(world: World, ref: string): Promise<Status[]> {
  const found = await world.bare.commit(ref);
  if (!found) throw new Refusal(422, `No commit found for SHA: ${ref}`);
  return world.statuses.filter(({ sha }) => sha === found.sha).toReversed();
}
