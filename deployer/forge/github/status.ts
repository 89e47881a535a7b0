import { z } from 'zod';
import type { Report } from '../types.ts';
import { parsed, type GitHub } from './client.ts';

const status = z.object({
  id: z.number(),
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const statuses = z.array(status);

/** A commit status; the very same one as the newest of its context is there already. */
export async function sendStatus(github: GitHub, report: Report & { type: 'status' }): Promise<void> {
  const { commit, context, state, description, targetUrl } = report;
  const { repos } = github.rest;
  // Newest first.
  const present = parsed(
    statuses,
    await repos.listCommitStatusesForRef({ ...github.at, ref: commit, per_page: 100 }),
  );
  const newest = present.find((candidate) => candidate.context === context);
  if (newest?.state === state && newest.description === description && newest.target_url === targetUrl)
    return;
  const request = { ...github.at, sha: commit, context, state, description, target_url: targetUrl };
  parsed(status, await repos.createCommitStatus(request));
}
