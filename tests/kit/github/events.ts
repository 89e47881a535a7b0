import type { BareCommit } from './bare.ts';
import { repository, user, wholePull } from './shapes.ts';
import type { Pull, World } from './world.ts';

/** Payloads of docs.github.com, "Webhook events and payloads". */

const NONE = '0'.repeat(40);
/** As many commits as an event tells at most. */
const MOST_COMMITS = 2048;

export async function pushEvent(
  world: World,
  moved: { ref: string; before: string | undefined; after: string | undefined; by: string },
): Promise<object> {
  const { ref, before, after, by } = moved;
  const forced = Boolean(
    before && after && ref.startsWith('refs/heads/') && !(await world.bare.contains(after, before)),
  );
  const commits =
    before && after && ref.startsWith('refs/heads/') ? await world.bare.log(`${before}..${after}`) : [];
  const head = after ? await world.bare.commit(after) : undefined;
  const { full_name, ...rest } = repository(world);
  return {
    ref,
    before: before ?? NONE,
    after: after ?? NONE,
    created: before === undefined,
    deleted: after === undefined,
    forced,
    base_ref: null,
    compare: `${world.origin}/${full_name}/compare/${(before ?? NONE).slice(0, 12)}...${(after ?? NONE).slice(0, 12)}`,
    commits: commits.slice(0, MOST_COMMITS).toReversed().map(told),
    head_commit: head ? told(head) : null,
    repository: { ...rest, full_name, pushed_at: Math.floor(Date.now() / 1000), master_branch: 'main' },
    pusher: { name: by, email: `${by}@users.noreply.github.com` },
    sender: user(world, by),
  };
}

function told(commit: BareCommit): object {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: commit.sha,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: [],
    removed: [],
    modified: [],
  };
}

export async function pullRequestEvent(
  world: World,
  pull: Pull,
  action: string,
  by: string,
): Promise<object> {
  return {
    action,
    number: pull.number,
    pull_request: await wholePull(world, pull),
    repository: repository(world),
    sender: user(world, by),
  };
}

export function pingEvent(world: World, hook: { id: number; shape: object }): object {
  return {
    zen: 'Practicality beats purity.',
    hook_id: hook.id,
    hook: hook.shape,
    repository: repository(world),
    sender: user(world, world.owner),
  };
}
