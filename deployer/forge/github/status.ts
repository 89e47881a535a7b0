import { z } from 'zod';
import type { Report } from '../types.ts';
import { everyPage, parsed, type GitHub } from './client.ts';
import { GitHubError } from './failure.ts';

const status = z.object({
  id: z.number(),
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const statuses = z.array(status);

/**
 * What GitHub takes of one commit and context.
 * https://docs.github.com/rest/commits/statuses#create-a-commit-status
 */
const MOST = 1000;
/** Of these the last ones are for how deployments end. */
const KEPT_FREE = 100;
const PAGE = 100;

/** A commit status; the very same one as the newest of its context is there already. */
export async function sendStatus(github: GitHub, report: Report & { type: 'status' }): Promise<void> {
  const { commit, context, state, description, targetUrl } = report;
  const { repos } = github.rest;
  const about = { ...github.at, ref: commit };
  // Newest first.
  const answer = await repos.listCommitStatusesForRef({ ...about, per_page: PAGE });
  const present = parsed(statuses, answer);
  const newest = present.find((candidate) => candidate.context === context);
  if (newest?.state === state && newest.description === description && newest.target_url === targetUrl)
    return;
  // Only then it may matter how many there are.
  const pages = Number(/[?&]page=(\d+)[^>]*>; rel="last"/.exec(answer.headers.link ?? '')?.[1] ?? 1);
  if (pages * PAGE > MOST - KEPT_FREE) await needRoom(github, report);
  const request = { ...github.at, sha: commit, context, state, description, target_url: targetUrl };
  parsed(status, await repos.createCommitStatus(request));
}

/** @throws GitHubError, to be given up, where GitHub would take no more */
async function needRoom(
  github: GitHub,
  { commit, context, state }: Report & { type: 'status' },
): Promise<void> {
  const { repos } = github.rest;
  const all = await everyPage(statuses, (page) =>
    repos.listCommitStatusesForRef({ ...github.at, ref: commit, ...page }),
  );
  const present = all.filter((one) => one.context === context).length;
  if (present < (state === 'pending' ? MOST - KEPT_FREE : MOST)) return;
  const kept = state === 'pending' ? ', the last 100 of them for outcomes' : '';
  throw new GitHubError(
    `GitHub takes ${MOST} statuses of a commit and context${kept}, and has ${present}: push a new commit`,
    { status: null, retryable: false },
  );
}
