import { FailedError } from '../../problem.ts';
import { git, GitError, gitText } from '../../release/git.ts';
import { ForgeError, type Forge, type Report } from '../types.ts';
import { mergeBranches } from './merge.ts';
import { addStatus } from './notes.ts';
import { originOf } from './path.ts';
import { refsState } from './refs-state.ts';
import { revert } from './revert.ts';
import { createTag } from './tag.ts';
import { watchBranches } from './watch.ts';

/** The bare repository `<home>/origin.git` as a forge: statuses are notes, pull requests are branches. */
export function localForge({ home }: { home: string }): Forge {
  const origin = originOf(home);
  return {
    name: origin,
    remote: { url: origin, state: () => refsState(origin) },
    async send(report) {
      try {
        await sendOne(origin, report);
      } catch (error) {
        if (error instanceof GitError) {
          throw new ForgeError(error.message, { retryable: true, cause: error });
        }
        throw error;
      }
    },
    async merge(request) {
      try {
        return await mergeBranches(origin, request);
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        throw new FailedError(`${request.head} could not be merged: ${error.message}`, { cause: error });
      }
    },
    async tags() {
      const names = await gitText(['for-each-ref', '--format=%(refname:strip=2)', 'refs/tags/'], {
        repository: origin,
      });
      return names.split('\n').filter(Boolean);
    },
    pulls: async () => [],
    trouble: () => null,
    checks: async () => [],
    redeliverFailed: async () => 0,
    watchBranches: (changed) => watchBranches(origin, changed),
  };
}

async function sendOne(origin: string, report: Report): Promise<void> {
  // There are no pull requests here to comment on, and no deployments beside the notes.
  if (report.type === 'comment' || report.type === 'deployment') return;
  await needCommit(origin, report.commit);
  if (report.type === 'status') await addStatus(origin, report);
  else if (report.type === 'tag') await createTag(origin, report);
  else await revert(origin, report);
}

async function needCommit(origin: string, commit: string): Promise<void> {
  const known = await git(['cat-file', '--batch-check'], {
    repository: origin,
    input: `${commit}^{commit}\n`,
  });
  if (!known.toString('utf8').includes(' commit ')) {
    throw new ForgeError(`${commit.slice(0, 40)} is not a commit of ${origin}`, { retryable: false });
  }
}
