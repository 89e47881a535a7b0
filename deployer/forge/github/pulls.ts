import { z } from 'zod';
import type { Pull } from '../types.ts';
import { everyPage, orNull, type GitHub } from './client.ts';

const repository = z.object({ id: z.number() }).nullable();
const pull = z.object({
  number: z.number(),
  title: z.string(),
  html_url: z.string(),
  head: z.object({ ref: z.string(), sha: z.string(), repo: repository }),
  base: z.object({ ref: z.string(), repo: repository }),
});
const brought = z.object({ number: z.number(), merged_at: z.string().nullish() });

/** Open pull requests from branches of the repository itself. Asked for conditionally: mostly nothing has changed. */
export async function openPulls(github: GitHub): Promise<Pull[]> {
  const all = await everyPage(z.array(pull), (page) =>
    github.rest.pulls.list({ ...github.at, state: 'open', ...page, request: { conditional: true } }),
  );
  return all
    .filter(({ head, base }) => head.repo !== null && head.repo.id === base.repo?.id)
    .map(({ number, title, html_url: url, head, base }) => ({
      number,
      title,
      head: head.ref,
      commit: head.sha,
      base: base.ref,
      url,
    }));
}

/** The merged pull requests that brought a commit onto its branch. */
export async function pullsThatBrought(github: GitHub, commit: string): Promise<number[]> {
  const list = github.rest.repos.listPullRequestsAssociatedWithCommit;
  const all = await orNull(
    everyPage(z.array(brought), (page) => list({ ...github.at, commit_sha: commit, ...page })),
  );
  return (all ?? []).filter(({ merged_at: at }) => at).map(({ number }) => number);
}
