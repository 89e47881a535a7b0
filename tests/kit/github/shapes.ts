import type { BareCommit } from './bare.ts';
import type { Comment, DeploymentStatus, GitHubDeployment, Issue, Pull, Status, World } from './world.ts';

/** GitHub's JSON, as documented at docs.github.com/rest; times in ISO 8601 to the second. */

export function isoNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

const nodeId = (kind: string, id: number | string) => Buffer.from(`${kind}:${id}`).toString('base64');

export function user(world: World, login: string) {
  const id = Buffer.from(login).reduce((sum, byte) => (sum * 31 + byte) % 1_000_000, 7);
  return {
    login,
    id,
    node_id: nodeId('User', id),
    avatar_url: `${world.origin}/avatars/${id}`,
    url: `${api(world)}/users/${login}`,
    html_url: `${world.origin}/${login}`,
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    site_admin: false,
  };
}

export const api = (world: World) => `${world.origin}/api/v3`;
const inRepository = (world: World) => `${api(world)}/repos/${world.fullName}`;
const page = (world: World) => `${world.origin}/${world.fullName}`;

/** It stays when the repository is renamed. */
export const REPOSITORY_ID = 42;

export function repository(world: World) {
  return {
    id: REPOSITORY_ID,
    node_id: nodeId('Repository', REPOSITORY_ID),
    name: world.name,
    full_name: world.fullName,
    private: true,
    owner: user(world, world.owner),
    html_url: page(world),
    description: null,
    fork: false,
    url: inRepository(world),
    hooks_url: `${inRepository(world)}/hooks`,
    git_url: `git://${world.fullName}.git`,
    ssh_url: `git@localhost:${world.fullName}.git`,
    clone_url: `${page(world)}.git`,
    archived: false,
    disabled: false,
    visibility: 'private',
    default_branch: 'main',
    permissions: { admin: true, maintain: true, push: true, triage: true, pull: true },
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: false,
  };
}

export function shortRepository(world: World, fullName: string) {
  const whole = repository(world);
  if (fullName === world.fullName) return whole;
  const [owner = '', name = ''] = fullName.split('/');
  return { ...whole, id: 43, name, full_name: fullName, fork: true, owner: user(world, owner) };
}

export function status(world: World, one: Status) {
  return {
    id: one.id,
    node_id: nodeId('StatusContext', one.id),
    url: `${inRepository(world)}/statuses/${one.sha}`,
    avatar_url: null,
    state: one.state,
    description: one.description,
    target_url: one.target_url,
    context: one.context,
    creator: user(world, one.creator),
    created_at: one.created_at,
    updated_at: one.created_at,
  };
}

export function deployment(world: World, one: GitHubDeployment) {
  const url = `${inRepository(world)}/deployments/${one.id}`;
  return {
    id: one.id,
    node_id: nodeId('Deployment', one.id),
    url,
    sha: one.sha,
    ref: one.ref,
    task: one.task,
    payload: one.payload,
    original_environment: one.environment,
    environment: one.environment,
    description: one.description,
    creator: user(world, one.creator),
    created_at: one.created_at,
    updated_at: one.statuses.at(-1)?.created_at ?? one.created_at,
    statuses_url: `${url}/statuses`,
    repository_url: inRepository(world),
    transient_environment: one.transient_environment,
    production_environment: one.production_environment,
  };
}

export function deploymentStatus(world: World, of: GitHubDeployment, one: DeploymentStatus) {
  const url = `${inRepository(world)}/deployments/${of.id}`;
  return {
    ...one,
    node_id: nodeId('DeploymentStatus', one.id),
    url: `${url}/statuses/${one.id}`,
    target_url: one.log_url,
    deployment_url: url,
    repository_url: inRepository(world),
    creator: user(world, one.creator),
    updated_at: one.created_at,
  };
}

const link = (world: World, sha: string) => ({
  sha,
  url: `${inRepository(world)}/commits/${sha}`,
  html_url: `${page(world)}/commit/${sha}`,
});

export function gitCommit(world: World, one: BareCommit) {
  return {
    sha: one.sha,
    node_id: nodeId('Commit', one.sha),
    url: `${inRepository(world)}/git/commits/${one.sha}`,
    html_url: `${page(world)}/commit/${one.sha}`,
    author: one.author,
    committer: one.committer,
    message: one.message,
    tree: { sha: one.tree, url: `${inRepository(world)}/git/trees/${one.tree}` },
    parents: one.parents.map((parent) => link(world, parent)),
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  };
}

export function commit(world: World, one: BareCommit) {
  const { author, committer, message, tree, verification } = gitCommit(world, one);
  return {
    ...link(world, one.sha),
    node_id: nodeId('Commit', one.sha),
    comments_url: `${inRepository(world)}/commits/${one.sha}/comments`,
    commit: {
      author,
      committer,
      message,
      tree,
      verification,
      comment_count: 0,
      url: `${inRepository(world)}/git/commits/${one.sha}`,
    },
    author: null,
    committer: null,
    parents: one.parents.map((parent) => link(world, parent)),
  };
}

function issue(world: World, one: Issue) {
  return {
    id: 10_000 + one.number,
    node_id: nodeId('Issue', one.number),
    number: one.number,
    url: `${inRepository(world)}/issues/${one.number}`,
    html_url: `${page(world)}/issues/${one.number}`,
    comments_url: `${inRepository(world)}/issues/${one.number}/comments`,
    title: one.title,
    body: one.body,
    user: user(world, one.user),
    state: one.state,
    labels: one.labels.map((name) => ({ name })),
    locked: false,
    comments: world.comments.filter((said) => said.issue === one.number).length,
    created_at: one.created_at,
    updated_at: one.created_at,
    closed_at: null,
  };
}

/** A pull request seen as an issue says so. */
export function issueOrPull(world: World, one: Issue) {
  const isPull = world.pulls.some(({ number }) => number === one.number);
  return {
    ...issue(world, one),
    ...(isPull && { pull_request: { url: `${inRepository(world)}/pulls/${one.number}` } }),
  };
}

/** In a list, without what only the single one has. */
export function pull(world: World, one: Pull) {
  const side = (ref: string, sha: string, fullName: string) => {
    const owner = fullName.split('/')[0] ?? '';
    return {
      label: `${owner}:${ref}`,
      ref,
      sha,
      user: user(world, owner),
      repo: shortRepository(world, fullName),
    };
  };
  return {
    ...issue(world, one),
    url: `${inRepository(world)}/pulls/${one.number}`,
    html_url: `${page(world)}/pull/${one.number}`,
    issue_url: `${inRepository(world)}/issues/${one.number}`,
    statuses_url: `${inRepository(world)}/statuses/${one.head.sha}`,
    draft: one.draft,
    merged_at: one.merged_at,
    merge_commit_sha: one.merge_commit_sha,
    head: side(one.head.ref, one.head.sha, one.head.repository),
    base: side(one.base.ref, one.base.sha, world.fullName),
    author_association: 'OWNER',
    auto_merge: null,
  };
}

export async function wholePull(world: World, one: Pull) {
  const open = one.state === 'open';
  const mergeable = open ? (await world.bare.mergeTree(one.base.sha, one.head.sha)) !== undefined : null;
  return {
    ...pull(world, one),
    merged: one.merged_at !== null,
    mergeable,
    mergeable_state: mergeable === null ? 'unknown' : mergeable ? 'clean' : 'dirty',
    merged_by: null,
    maintainer_can_modify: false,
  };
}

export function comment(world: World, one: Comment) {
  return {
    id: one.id,
    node_id: nodeId('IssueComment', one.id),
    url: `${inRepository(world)}/issues/comments/${one.id}`,
    html_url: `${page(world)}/issues/${one.issue}#issuecomment-${one.id}`,
    issue_url: `${inRepository(world)}/issues/${one.issue}`,
    body: one.body,
    user: user(world, one.user),
    created_at: one.created_at,
    updated_at: one.updated_at,
    author_association: 'OWNER',
  };
}
