import type { Check } from '../../deployment/model.ts';
import type { GitHub } from './client.ts';
import { GitHubError } from './failure.ts';

const NOWHERE = '0'.repeat(40);
const NO_BRANCH = 'deployer-init-no-such-branch';

interface Permission {
  name: string;
  what: string;
  /** Asks for what cannot be: whoever may do it is told so, whoever may not is refused before that. */
  probe: (github: GitHub) => Promise<unknown>;
}

/** What the deployer does on GitHub, by the names of a fine-grained token's permissions. */
const PERMISSIONS: readonly Permission[] = [
  {
    name: 'contents=write',
    what: 'tags, merges and reverts',
    probe: ({ rest, at }) => rest.git.createRef({ ...at, ref: `refs/heads/${NO_BRANCH}`, sha: NOWHERE }),
  },
  {
    name: 'statuses=write',
    what: 'commit statuses',
    probe: ({ rest, at }) =>
      rest.repos.createCommitStatus({ ...at, sha: NOWHERE, state: 'pending', context: 'deployer/init' }),
  },
  {
    name: 'deployments=write',
    what: 'GitHub Deployments',
    probe: ({ rest, at }) =>
      rest.repos.createDeployment({ ...at, ref: NOWHERE, required_contexts: [], auto_merge: false }),
  },
  {
    name: 'pull_requests=write',
    what: 'revert pull requests, and comments on pull requests',
    probe: ({ rest, at }) => rest.pulls.create({ ...at, title: NO_BRANCH, head: NO_BRANCH, base: NO_BRANCH }),
  },
  {
    name: 'issues=write',
    what: 'comments, where a revert needs a person',
    // GitHub has no issue without a title.
    probe: ({ rest, at }) => rest.issues.create({ ...at, title: '' }),
  },
];

/** Each permission that is needed, by a request that would be refused for another reason if it was there. */
export async function checkPermissions(github: GitHub): Promise<Check[]> {
  const checks: Check[] = [];
  for (const permission of PERMISSIONS) checks.push(await check(github, permission));
  return checks;
}

async function check(github: GitHub, { name, what, probe }: Permission): Promise<Check> {
  const refused = await isRefused(probe(github));
  return {
    name: `permission ${name}`,
    success: !refused,
    expected: 'granted',
    actual: refused ? 'not granted' : 'granted',
    hint: refused ? `needed for ${what}: give it to the token or the App` : null,
    location: null,
  };
}

/** What a token may not do is forbidden; what it may not even see is not found. */
export async function isRefused(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return false;
  } catch (error) {
    if (!(error instanceof GitHubError) || error.status === null || error.pausesAll) throw error;
    if (error.status >= 500) throw error;
    return error.status === 403 || error.status === 404;
  }
}
