import { z } from 'zod';
import { created, invalid, notFound, ok, paged } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { comment, isoNow, issueOrPull } from '../shapes.ts';
import type { Comment, Issue, World } from '../world.ts';

const R = '/repos/{owner}/{repo}';
const BODY = z.strictObject({ body: z.string().min(1).max(65_536) });
/** Issues and pull requests are one for comments; either permission serves. */
const READ = ['issues', 'read'] as const;
const WRITE = ['issues', 'write'] as const;

export const ISSUES = [
  endpoint(`POST ${R}/issues`, {
    permission: WRITE,
    body: z.strictObject({
      title: z.union([z.string(), z.number()]),
      body: z.string().max(65_536).optional(),
      assignee: z.string().nullish(),
      milestone: z.union([z.string(), z.number()]).nullish(),
      labels: z.array(z.string()).optional(),
      assignees: z.array(z.string()).optional(),
      type: z.string().nullish(),
    }),
    answer({ world, body, access }) {
      if (String(body.title).trim() === '') throw invalid('Issue', 'title', 'missing_field');
      const made: Issue = {
        number: world.nextNumber(),
        title: String(body.title),
        body: body.body ?? null,
        user: access.login,
        state: 'open',
        labels: body.labels ?? [],
        created_at: isoNow(),
      };
      world.issues.push(made);
      return created(issueOrPull(world, made));
    },
  }),
  endpoint(`GET ${R}/issues`, {
    permission: READ,
    pages: true,
    query: {
      state: z.enum(['open', 'closed', 'all']).optional(),
      labels: z.string().optional(),
      creator: z.string().optional(),
      sort: z.enum(['created', 'updated', 'comments']).optional(),
      direction: z.enum(['asc', 'desc']).optional(),
      since: z.string().optional(),
    },
    answer({ world, query, url }) {
      const { state = 'open', creator, labels } = query;
      const wanted = [...world.issues, ...world.pulls].filter(
        (one) =>
          (state === 'all' || one.state === state) &&
          (creator === undefined || one.user === creator) &&
          (labels ?? '').split(',').every((label) => label === '' || one.labels.includes(label)),
      );
      const newest = wanted.toSorted((a, b) => b.number - a.number);
      return paged(
        (query.direction === 'asc' ? newest.toReversed() : newest).map((one) => issueOrPull(world, one)),
        url,
      );
    },
  }),
  endpoint(`GET ${R}/issues/{issue_number}`, {
    permission: READ,
    answer: ({ world, params }) => ok(issueOrPull(world, byNumber(world, params))),
  }),
  endpoint(`GET ${R}/issues/{issue_number}/comments`, {
    permission: READ,
    pages: true,
    query: { since: z.string().optional() },
    answer({ world, params, query, url }) {
      const { number } = byNumber(world, params);
      const wanted = world.comments.filter(
        (one) => one.issue === number && one.updated_at >= (query.since ?? ''),
      );
      return paged(
        wanted.map((one) => comment(world, one)),
        url,
      );
    },
  }),
  endpoint(`POST ${R}/issues/{issue_number}/comments`, {
    permission: WRITE,
    body: BODY,
    answer({ world, params, body, access }) {
      const at = isoNow();
      const made: Comment = {
        id: world.nextId(),
        issue: byNumber(world, params).number,
        body: body.body,
        user: access.login,
        created_at: at,
        updated_at: at,
      };
      world.comments.push(made);
      return created(comment(world, made));
    },
  }),
  endpoint(`GET ${R}/issues/comments/{comment_id}`, {
    permission: READ,
    answer: ({ world, params }) => ok(comment(world, commentById(world, params))),
  }),
  endpoint(`PATCH ${R}/issues/comments/{comment_id}`, {
    permission: WRITE,
    body: BODY,
    answer({ world, params, body }) {
      const found = commentById(world, params);
      found.body = body.body;
      found.updated_at = isoNow();
      return ok(comment(world, found));
    },
  }),
];

function byNumber(world: World, params: Record<string, string>): Issue {
  const found = [...world.issues, ...world.pulls].find(
    ({ number }) => String(number) === params['issue_number'],
  );
  if (!found) throw notFound();
  return found;
}

function commentById(world: World, params: Record<string, string>): Comment {
  const found = world.comments.find(({ id }) => String(id) === params['comment_id']);
  if (!found) throw notFound();
  return found;
}
