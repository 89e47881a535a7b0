import { z } from 'zod';
import { FailedError } from '../../problem.ts';
import { parsed, type GitHub } from './client.ts';
import { GitHubError } from './failure.ts';

const TRIES = 3;

const commit = z.object({ sha: z.string() });
const reference = z.object({ object: commit });

interface Merge {
  base: string;
  head: string;
  message: string;
}

/**
 * Merges by GitHub's merges API; see `Forge.merge`. When an answer was lost it is asked again: then there is nothing to merge.
 * https://docs.github.com/rest/branches/branches#merge-a-branch
 */
export async function merge(github: GitHub, request: Merge): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await mergeOnce(github, request);
    } catch (error) {
      if (!(error instanceof GitHubError)) throw error;
      const isPassing = error.retryable && error.retryAfterMs === undefined && error.status !== 409;
      if (!isPassing || tries === TRIES) throw sentence(error, request);
    }
  }
}

async function mergeOnce(github: GitHub, { base, head, message }: Merge): Promise<string> {
  const answer = await github.rest.repos.merge({ ...github.at, base, head, commit_message: message });
  // octokit's types know nothing of 204: the branch holds it already.
  const status: number = answer.status;
  if (status !== 204) return parsed(commit, answer).sha;
  const present = await github.rest.git.getRef({ ...github.at, ref: `heads/${base}` });
  return parsed(reference, present).object.sha;
}

function sentence(error: GitHubError, { base, head }: Merge): FailedError {
  const why =
    error.status === 409
      ? `it conflicts: merge ${base} into it first`
      : error.status === 404
        ? `one of them is not on GitHub, or the token may not write contents`
        : error.message;
  return new FailedError(`${head} cannot be merged into ${base}: ${why}`, { cause: error });
}
