import { z } from 'zod';
import type { Report } from '../types.ts';
import { everyPage, parsed, type GitHub } from './client.ts';
import { pullsThatBrought } from './pulls.ts';

type Comment = Report & { type: 'comment' };

const comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  author_association: z.string().optional(),
  user: z.object({ type: z.string() }).nullish(),
});
type Present = z.infer<typeof comment>;

/** GitHub takes 65,536 characters. */
const LONGEST_BODY = 65_000;

/** One comment for each key on each pull request that is meant. */
export async function sendComment(github: GitHub, report: Comment): Promise<void> {
  const pulls = 'pull' in report.on ? [report.on.pull] : await pullsThatBrought(github, report.on.commit);
  for (const pull of pulls) await keepComment(github, pull, report);
}

/** Written once, then updated in place: it is found again by its marker, which GitHub does not show. */
export async function keepComment(
  github: GitHub,
  pull: number,
  { key, body: text }: { key: string; body: string },
): Promise<void> {
  const { issues } = github.rest;
  const body = withMarker(key, text);
  const present = await everyPage(z.array(comment), (page) =>
    issues.listComments({ ...github.at, issue_number: pull, ...page }),
  );
  const mine = present.find((candidate) => candidate.body?.includes(markerOf(key)) && isTrusted(candidate));
  if (mine?.body === body) return;
  const answer = mine
    ? await issues.updateComment({ ...github.at, comment_id: mine.id, body })
    : await issues.createComment({ ...github.at, issue_number: pull, body });
  parsed(comment, answer);
}

export function withMarker(key: string, text: string): string {
  return `${text.slice(0, LONGEST_BODY)}\n\n${markerOf(key)}`;
}

export function markerOf(key: string): string {
  return `<!-- deployer: ${key.replaceAll(/[^\w/.: -]/g, '_')} -->`;
}

/** Anybody may write our marker into a comment, and change that comment later on. */
function isTrusted({ user, author_association: who }: Present): boolean {
  return user?.type === 'Bot' || who === undefined || ['OWNER', 'MEMBER', 'COLLABORATOR'].includes(who);
}
