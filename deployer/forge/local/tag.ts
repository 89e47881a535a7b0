import { git, GitError } from '../../release/git.ts';
import { isTagName } from '../../release/names.ts';
import { ForgeError, type Report } from '../types.ts';
import { headOf } from './refs.ts';

/** An annotated tag; git creates it only if there is none, and the same one again is no error. */
export async function createTag(repository: string, report: Report & { type: 'tag' }): Promise<void> {
  const { commit, name, message } = report;
  if (!isTagName(name)) {
    throw new ForgeError(`${JSON.stringify(name)} cannot be the name of a tag`, { retryable: false });
  }
  const args = ['tag', '--annotate', '--cleanup=whitespace', '--file=-', '--end-of-options', name, commit];
  try {
    await git(args, { repository, input: message });
  } catch (error) {
    const present = error instanceof GitError ? await headOf(repository, `refs/tags/${name}`) : null;
    if (present === commit) return;
    if (present === null) throw error;
    throw new ForgeError(`the tag ${name} is there already, at ${present.slice(0, 12)}`, {
      retryable: false,
    });
  }
}
