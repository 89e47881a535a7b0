import { basename } from 'node:path';
import { git, gitOr, gitText } from '../../release/git.ts';
import { isBranchName, isObjectId } from '../../release/names.ts';

/** GitHub's `push` event (docs.github.com, "Webhook events and payloads"), made from what a hook is told. */

export interface PushedBranch {
  branch: string;
  /** null: the branch was created. */
  before: string | null;
  /** null: the branch was deleted. */
  after: string | null;
}

/** Lines of `<old> <new> <ref>`; what is not a branch is left out. */
export function parsePushedRefs(lines: string): PushedBranch[] {
  return lines.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+) ([0-9a-f]+) refs\/heads\/(.+)$/.exec(line);
    const [, before = '', after = '', branch = ''] = match ?? [];
    if (![before, after].every(isObjectId) || !isBranchName(branch)) return [];
    return [{ branch, before: orNull(before), after: orNull(after) }];
  });
}

/** As many commits as an event tells at most. */
const MOST_COMMITS = 100;

export async function pushEvent(repository: string, pushed: PushedBranch): Promise<object> {
  const { branch, before, after } = pushed;
  const [forced, commits] = await Promise.all([isForced(repository, pushed), newCommits(repository, pushed)]);
  const none = '0'.repeat((after ?? before ?? '').length);
  const user = { name: 'local', email: 'deployer@localhost' };
  return {
    ref: `refs/heads/${branch}`,
    before: before ?? none,
    after: after ?? none,
    created: before === null,
    deleted: after === null,
    forced,
    base_ref: null,
    compare: `${repository}/compare/${(before ?? none).slice(0, 12)}...${(after ?? none).slice(0, 12)}`,
    commits,
    head_commit: commits.at(-1) ?? (after ? await commitOf(repository, after) : null),
    repository: repositoryOf(repository),
    pusher: user,
    sender: { id: 1, login: user.name, type: 'User' },
  };
}

function repositoryOf(repository: string): object {
  const name = basename(repository, '.git');
  return {
    id: 1,
    name,
    full_name: `local/${name}`,
    private: true,
    owner: { id: 1, login: 'local', name: 'local', type: 'User' },
    html_url: repository,
    url: repository,
    clone_url: repository,
    git_url: repository,
    ssh_url: repository,
    default_branch: 'main',
    master_branch: 'main',
  };
}

function orNull(id: string): string | null {
  return /^0+$/.test(id) ? null : id;
}

async function isForced(repository: string, { before, after }: PushedBranch): Promise<boolean> {
  if (!before || !after) return false;
  const asked = git(['merge-base', '--is-ancestor', before, after], { repository }).then(() => false);
  return await gitOr(true, asked);
}

/** Oldest first, at most the newest 100; of a new branch those that no other branch has. */
async function newCommits(repository: string, { branch, before, after }: PushedBranch): Promise<object[]> {
  if (!after) return [];
  const known = before ? [`^${before}`] : ['--not', `--exclude=${branch}`, '--branches'];
  return (await log(repository, [`--max-count=${MOST_COMMITS}`, after, ...known])).toReversed();
}

async function commitOf(repository: string, commit: string): Promise<object | null> {
  return (await log(repository, ['--max-count=1', commit]))[0] ?? null;
}

async function log(repository: string, range: readonly string[]): Promise<object[]> {
  const format = '%x01%H%x02%T%x02%B%x02%aI%x02%an%x02%ae%x02%cn%x02%ce%x02';
  const args = ['log', '-z', `--format=${format}`, '--name-status', '--no-renames', ...range];
  const text = await gitText(args, { repository });
  return text.split('\u0001').slice(1).map(parseCommit);
}

function parseCommit(row: string): object {
  const [id, tree, message, timestamp, author, email, committer, committerEmail, files = ''] =
    row.split('\u0002');
  const changes = [...files.matchAll(/([AMDT])\0([^\0]+)/g)];
  const changed = (states: string): string[] =>
    changes.flatMap(([, state = '', path = '']) => (states.includes(state) ? [path] : []));
  return {
    id,
    tree_id: tree,
    distinct: true,
    message: message?.trimEnd(),
    timestamp,
    url: id,
    author: { name: author, email },
    committer: { name: committer, email: committerEmail },
    added: changed('A'),
    removed: changed('D'),
    modified: changed('MT'),
  };
}
