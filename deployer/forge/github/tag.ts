import { z } from 'zod';
import { isTagName } from '../../release/names.ts';
import { ForgeError, type Report } from '../types.ts';
import { everyPage, orNull, parsed, type GitHub } from './client.ts';
import { GitHubError } from './failure.ts';

const reference = z.object({ object: z.object({ sha: z.string(), type: z.string() }) });
const tag = z.object({ sha: z.string(), object: z.object({ sha: z.string() }) });

/** An annotated tag: the tag object, then the ref to it. The same one again is no error. */
export async function sendTag(github: GitHub, report: Report & { type: 'tag' }): Promise<void> {
  const { commit, name, message } = report;
  if (!isTagName(name))
    throw new ForgeError(`${JSON.stringify(name)} cannot be the name of a tag`, { retryable: false });
  if (await isThere(github, name, commit)) return;
  const { git } = github.rest;
  const made = await git.createTag({ ...github.at, tag: name, message, object: commit, type: 'commit' });
  const { sha } = parsed(tag, made);
  try {
    parsed(reference, await git.createRef({ ...github.at, ref: `refs/tags/${name}`, sha }));
  } catch (error) {
    // Somebody else was faster, or our own answer was lost.
    if (!(error instanceof GitHubError && error.status === 422)) throw error;
    if (!(await isThere(github, name, commit))) throw error;
  }
}

/** @throws ForgeError, not retryable, when the name is taken by another commit */
async function isThere(github: GitHub, name: string, commit: string): Promise<boolean> {
  const { git } = github.rest;
  const found = await orNull(git.getRef({ ...github.at, ref: `tags/${name}` }));
  if (!found) return false;
  const { object } = parsed(reference, found);
  const target =
    object.type === 'tag'
      ? parsed(tag, await git.getTag({ ...github.at, tag_sha: object.sha })).object.sha
      : object.sha;
  if (target === commit) return true;
  throw new ForgeError(`the tag ${name} is there already, at ${target.slice(0, 12)}`, { retryable: false });
}

/** The names of all tags. */
export async function tagNames(github: GitHub): Promise<string[]> {
  const all = await everyPage(z.array(z.object({ name: z.string() })), (page) =>
    github.rest.repos.listTags({ ...github.at, ...page, request: { conditional: true } }),
  );
  return all.map(({ name }) => name);
}
