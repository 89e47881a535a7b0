import { z } from 'zod';
import { code } from '../../deployment/reports/markdown.ts';
import { oneLine } from '../../problem.ts';
import { isBranchName } from '../../release/names.ts';
import { GitError } from '../../release/git.ts';
import { fetchFrom, pushTo } from '../../release/remote.ts';
import { recognisedBy, reversalOf } from '../reversal.ts';
import { ForgeError, type Remote, type Report } from '../types.ts';
import { orNull, parsed, type GitHub } from './client.ts';
import { keepComment, markerOf, withMarker } from './comments.ts';
import { GitHubError } from './failure.ts';
import { pullsThatBrought } from './pulls.ts';

type Revert = Report & { type: 'revert' };

const reference = z.object({ object: z.object({ sha: z.string() }) });
const numbered = z.object({ number: z.number() });
const issue = numbered.extend({ body: z.string().nullish() });

/** The branch moved between reading and pushing it: tried again at once so often. */
const TRIES = 5;

/**
 * Takes a commit back on its branch: by a pull request from `revert/<first 8>`, or on the branch itself. Nothing to do when
 * it was reverted already or is not on the branch any more. What cannot be reverted is said on the pull request that
 * brought it, or in an issue.
 */
export async function sendRevert(
  github: GitHub,
  git: { repository: string; remote: Remote },
  report: Revert,
): Promise<void> {
  const { branch, commit, how } = report;
  if (!isBranchName(branch))
    throw new ForgeError(`${JSON.stringify(branch)} is no branch`, { retryable: false });
  const target = how === 'push' ? branch : `revert/${commit.slice(0, 8)}`;
  if (target !== branch && (await headOf(github, target))) return await propose(github, report, target);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const head = await headOf(github, branch);
    if (!head) return;
    await fetchFrom(git.remote, [`+refs/heads/${branch}:refs/forge/heads/${branch}`], git);
    const reversal = await reversalOf(git.repository, head, report);
    if (!reversal) return;
    if ('impossible' in reversal) return await explain(github, report, reversal.impossible);
    const pushed = await push(github, git, { commit: reversal.commit, target, head, branch });
    if (pushed === 'moved') continue;
    if (pushed !== 'done') return await explain(github, report, pushed.refused);
    return target === branch ? undefined : await propose(github, report, target);
  }
  throw new ForgeError(`${branch} kept moving while ${commit.slice(0, 8)} was to be reverted`, {
    retryable: true,
  });
}

async function headOf(github: GitHub, branch: string): Promise<string | null> {
  const found = await orNull(github.rest.git.getRef({ ...github.at, ref: `heads/${branch}` }));
  return found && parsed(reference, found).object.sha;
}

async function push(
  github: GitHub,
  git: { repository: string; remote: Remote },
  { commit, target, head, branch }: { commit: string; target: string; head: string; branch: string },
): Promise<'done' | 'moved' | { refused: string }> {
  try {
    await pushTo(git.remote, { commit, ref: `refs/heads/${target}` }, git);
    return 'done';
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if ((await headOf(github, branch)) !== head) return 'moved';
    // A protected branch, a rule, a workflow that the token may not change.
    const [, why] = /\[remote rejected\] \((.+)\)$/m.exec(error.stdout.toString('utf8')) ?? [];
    if (why !== undefined) return { refused: `GitHub does not take the push to ${target}: ${oneLine(why)}` };
    throw error;
  }
}

/** One pull request for the branch, also when the answer to an earlier try was lost or a person closed it since. */
async function propose(github: GitHub, report: Revert, head: string): Promise<void> {
  const { pulls } = github.rest;
  const isThere = async () => {
    const query = { head: `${github.at.owner}:${head}`, base: report.branch, state: 'all' as const };
    return parsed(z.array(numbered), await pulls.list({ ...github.at, ...query })).length > 0;
  };
  if (await isThere()) return;
  const [title = ''] = report.message.split('\n');
  const body = withMarker(`revert ${report.deployment}`, `${report.text}\n\n${recognisedBy(report)}`);
  try {
    parsed(numbered, await pulls.create({ ...github.at, title, body, head, base: report.branch }));
  } catch (error) {
    const isTaken = error instanceof GitHubError && error.status === 422 && (await isThere());
    if (!isTaken) throw error;
  }
}

/** Why there is no revert: on the pull requests that brought the commit, else in an issue. */
async function explain(github: GitHub, report: Revert, why: string): Promise<void> {
  const key = `revert ${report.deployment}`;
  const body = `**Not reverted automatically:** ${code(why)}\n\n${report.text}`;
  const pulls = await pullsThatBrought(github, report.commit);
  for (const pull of pulls) await keepComment(github, pull, { key, body });
  if (pulls.length > 0) return;
  const { issues } = github.rest;
  const newest = { state: 'all', sort: 'created', direction: 'desc', per_page: 100 } as const;
  const present = parsed(z.array(issue), await issues.listForRepo({ ...github.at, ...newest }));
  if (present.some((candidate) => candidate.body?.includes(markerOf(key)))) return;
  const title = `${report.commit.slice(0, 8)} was rolled back from ${report.environment} and could not be reverted`;
  parsed(issue, await issues.create({ ...github.at, title, body: withMarker(key, body) }));
}
