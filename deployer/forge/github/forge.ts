import { join } from 'node:path';
import { FailedError } from '../../problem.ts';
import { GitError } from '../../release/git.ts';
import type { GitHubSettings } from '../../settings.ts';
import { ForgeError, type Forge, type Report } from '../types.ts';
import { checkGitHub, isWritable } from './checks.ts';
import { connect, type GitHub } from './client.ts';
import { sendComment } from './comments.ts';
import { sendDeployment } from './deployments.ts';
import { GitHubError } from './failure.ts';
import { createHealth } from './health.ts';
import { redeliverFailed } from './hooks.ts';
import { createIdentity } from './identity.ts';
import { merge } from './merge.ts';
import { realTime, type Time } from './pace.ts';
import { openPulls } from './pulls.ts';
import { pageOf, remoteOf } from './remote.ts';
import { sendRevert } from './revert.ts';
import { sendStatus } from './status.ts';
import { sendTag, tagNames } from './tag.ts';

/** A repository on GitHub or on an Enterprise Server as the forge. Making it asks nothing of the network. */
export function githubForge(options: {
  settings: GitHubSettings;
  /** Where the mirror is, in which reverts are made. */
  home: string;
  /** The deployer's public address: its webhook is known by it. */
  url: string;
  clock: () => Date;
  time?: Time;
  /** A request that takes longer has failed; 20 s by default. */
  deadlineMs?: number;
}): Forge {
  const { settings, home, url, clock, time = realTime, deadlineMs = 20_000 } = options;
  const end = new AbortController();
  const health = createHealth({ clock, mendAccess: mendAccessOf(settings) });
  const github = connect({ settings, health, clock, time, deadlineMs, signal: end.signal });
  const identity = createIdentity(github, health);
  const remote = remoteOf(settings, github, health);
  const git = { repository: join(home, 'mirror.git'), remote };
  return {
    name: `GitHub ${settings.repository}`,
    remote,
    async send(report) {
      try {
        await sendOne(github, git, report);
      } catch (error) {
        throw await judge(github, error);
      }
    },
    async merge(request) {
      try {
        return await merge(github, request);
      } catch (error) {
        if (!(error instanceof ForgeError)) throw error;
        throw new FailedError(`${request.head} cannot be merged: ${error.message}`, { cause: error });
      }
    },
    tags: () => tagNames(github),
    pulls: () => openPulls(github),
    trouble: () => health.trouble(),
    checks: () => checkGitHub(github, { health, remote }),
    owns: (repository) => identity.owns(repository),
    async redeliverFailed(since) {
      await identity.look();
      return await redeliverFailed(github, `${url}/webhooks/github`, since);
    },
    commitUrl: (commit) => `${pageOf(settings, github)}/commit/${commit}`,
    close: () => end.abort(),
  };
}

async function sendOne(github: GitHub, git: Parameters<typeof sendRevert>[1], report: Report): Promise<void> {
  switch (report.type) {
    case 'status':
      return await sendStatus(github, report);
    case 'tag':
      return await sendTag(github, report);
    case 'deployment':
      return await sendDeployment(github, report);
    case 'comment':
      return await sendComment(github, report);
    case 'revert':
      return await sendRevert(github, git, report);
  }
}

/**
 * A 404 is what GitHub answers for what is gone, and also for what a token may not see: only while the repository itself
 * is there, and may be written to, is it the end of the report.
 */
async function judge(github: GitHub, error: unknown): Promise<unknown> {
  if (error instanceof GitError) return new ForgeError(error.message, { retryable: true, cause: error });
  if (!(error instanceof GitHubError) || error.status !== 404) return error;
  const message = `${error.message}: the repository, or the right to write to it, is missing`;
  const isGone = await isWritable(github).catch(() => false);
  return isGone ? error : new ForgeError(message, { retryable: true, retryAfterMs: 30_000, cause: error });
}

function mendAccessOf({ app, repository }: GitHubSettings): string {
  return app
    ? `see that the App is installed in ${repository} and not suspended, and that GITHUB_APP_PRIVATE_KEY is one of its keys`
    : `put a valid token for ${repository} into GITHUB_TOKEN and restart the deployer`;
}
