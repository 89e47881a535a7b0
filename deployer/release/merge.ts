import { GitError, gitText } from './git.ts';
import type { Merged } from './types.ts';

/** Merges two commits without a work tree, from the merge base that git finds. */
export async function mergeCommits(repository: string, ours: string, theirs: string): Promise<Merged> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs];
  try {
    const out = await gitText(args, { repository });
    return { tree: out.split('\0')[0] ?? '' };
  } catch (error) {
    if (!(error instanceof GitError) || error.exitCode !== 1) throw error;
    const [, ...files] = error.stdout.toString('utf8').split('\0');
    return { conflicts: [...new Set(files.filter(Boolean))] };
  }
}
