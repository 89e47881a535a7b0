import type { LoggedCommit, Mirror } from '../../release/types.ts';
import { subjectOf, trailersOf, type Trailer } from './trailer.ts';

/** A trailer and the commit whose message has it. */
export type Wanted = Trailer & { commit: string };

/** How far back a deployment's commits are read. */
const MOST_COMMITS = 5000;

/**
 * What the commits between what is live and the new one expect, newest first; of a first deployment, the new one alone.
 * Of two that are about the same page and text the newer counts, and what was reverted in between expects nothing.
 */
export async function wantedBy(
  mirror: Pick<Mirror, 'log'>,
  range: { from: string | null; to: string },
): Promise<Wanted[]> {
  const commits = await mirror.log({ ...range, most: MOST_COMMITS });
  const standing = await notReverted(mirror, commits);
  const said = new Set<string>();
  return standing.flatMap(({ commit, message }) =>
    // Within one message, too, the last word counts.
    trailersOf(message)
      .toReversed()
      .filter((trailer) => {
        const subject = 'expectation' in trailer ? subjectOf(trailer.expectation) : trailer.line;
        return !said.has(subject) && said.add(subject);
      })
      .map((trailer) => ({ ...trailer, commit }))
      .toReversed(),
  );
}

/** A revert of a merge takes back every commit that the merge brought; a reverted revert takes back nothing. */
async function notReverted(
  mirror: Pick<Mirror, 'log'>,
  commits: readonly LoggedCommit[],
): Promise<LoggedCommit[]> {
  const here = new Map(commits.map((one) => [one.commit, one]));
  const reverted = new Set<string>();
  const standing: LoggedCommit[] = [];
  for (const one of commits) {
    if (reverted.has(one.commit)) continue;
    standing.push(one);
    for (const [, id = ''] of one.message.matchAll(/^This reverts commit ([0-9a-f]{40,64})\b/gm)) {
      const undone = here.get(id);
      const from = undone?.parents[0];
      if (undone?.parents[1] === undefined || from === undefined) reverted.add(id);
      else
        for (const { commit } of await mirror.log({ from, to: id, most: MOST_COMMITS })) reverted.add(commit);
    }
  }
  return standing;
}
