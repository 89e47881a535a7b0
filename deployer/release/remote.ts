import type { Remote } from '../forge/types.ts';
import { FailedError } from '../problem.ts';
import { git, GitError, type GitCall } from './git.ts';
import { protocolOf } from './names.ts';

/** Speaking to the forge's git: by the one protocol of its address, with its credentials. */

// Strict about what could harm; old histories carry these dates and names, and they harm nobody.
const HARMLESS = [
  'badDateOverflow',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];
const FETCH = [
  '-c',
  'transfer.fsckObjects=true',
  ...HARMLESS.flatMap((message) => ['-c', `fetch.fsck.${message}=ignore`]),
  'fetch',
  ...'--quiet --prune --force --no-tags --no-recurse-submodules'.split(' '),
  ...'--no-auto-maintenance --no-write-fetch-head --update-shallow --end-of-options'.split(' '),
];

type Call = GitCall & { repository: string };

/** Fetches by full refspecs. @throws GitError */
export async function fetchFrom(remote: Remote, refspecs: readonly string[], call: Call): Promise<void> {
  await use(remote, [...FETCH, remote.url, ...refspecs], call);
}

/**
 * Makes a ref of the remote lead to a commit that follows what it leads to now, or makes it.
 * @throws GitError, whose stdout says in git-push's porcelain format what was rejected
 */
export async function pushTo(
  remote: Remote,
  { commit, ref }: { commit: string; ref: string },
  call: Call,
): Promise<void> {
  const args = ['push', '--porcelain', '--end-of-options', remote.url, `${commit}:${ref}`];
  await use(remote, args, call);
}

/** Asks for what HEAD leads to, of which nothing is kept: whether git may read there. @throws GitError */
export async function askRemote(remote: Remote): Promise<void> {
  await use(remote, ['ls-remote', '--quiet', '--end-of-options', remote.url, 'HEAD'], {});
}

/** Nothing is said of what was ended from here. */
async function use(remote: Remote, args: readonly string[], call: GitCall): Promise<void> {
  const speech = await speaking(remote, call);
  try {
    await git(args, speech);
    remote.used?.(null);
  } catch (error) {
    if (error instanceof GitError) remote.used?.(error.message);
    throw error;
  }
}

async function speaking(remote: Remote, call: GitCall): Promise<GitCall> {
  const access = await remote.access?.();
  const env = { ...access?.env, GIT_ALLOW_PROTOCOL: protocolOfRemote(remote) };
  return { ...call, env, secret: access?.secret };
}

/** @throws FailedError when git is not to speak to such an address */
export function protocolOfRemote({ url }: Remote): string {
  const protocol = protocolOf(url);
  if (!protocol) throw new FailedError('the forge must be an absolute path, https:// or http://');
  return protocol;
}
