import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { git, gitOr, GitError } from '../../release/git.ts';
import type { Report } from '../types.ts';
import { headOf, untilSettled } from './refs.ts';

const NOTES = 'refs/notes/deploy';

/** Appends a status to the commit's note, one JSON object a line, oldest first; the very same line only once. */
export async function addStatus(repository: string, report: Report & { type: 'status' }): Promise<void> {
  const { context, state, description, targetUrl, at } = report;
  const line = JSON.stringify({ context, state, description, target_url: targetUrl, at });
  await untilSettled(async () => {
    const head = await headOf(repository, NOTES);
    const present = head ? await noteOf(repository, report.commit) : '';
    if (present.split('\n').includes(line)) return 'done';
    const note = `${present}${line}\n`;
    return await writeNote(repository, { head, commit: report.commit, note, context });
  });
}

/** The note's text, each line ended, or nothing. */
async function noteOf(repository: string, commit: string): Promise<string> {
  const args = ['notes', `--ref=${NOTES}`, 'show', commit];
  const text = (await gitOr(Buffer.of(), git(args, { repository }))).toString('utf8').trimEnd();
  return text === '' ? '' : `${text}\n`;
}

/** One fast-import: it keeps the notes' fan-out, and moves the ref only if the ref still leads to `head`. */
async function writeNote(
  repository: string,
  change: { head: string | null; commit: string; note: string; context: string },
): Promise<'done' | 'moved'> {
  const { head, commit, note, context } = change;
  const now = Math.floor(Date.now() / 1000);
  const input = [
    `commit ${NOTES}`,
    `committer deployer <deployer@localhost> ${now} +0000`,
    data(`${context} of ${commit}\n`),
    ...(head ? [`from ${head}`] : []),
    `N inline ${commit}`,
    data(note),
    'done',
    '',
  ].join('\n');
  try {
    await git(['fast-import', '--quiet', '--done', '--date-format=raw'], { repository, input });
    return 'done';
  } catch (error) {
    if (error instanceof GitError && (await headOf(repository, NOTES)) !== head) return 'moved';
    if (await removeStaleLock(repository)) return 'moved';
    throw error;
  }
}

/** No git takes that long to write a note: the one that made the lock was killed. */
const STALE_MS = 120_000;

async function removeStaleLock(repository: string): Promise<boolean> {
  const lock = join(repository, `${NOTES}.lock`);
  const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Infinity }));
  if (Date.now() - mtimeMs < STALE_MS) return false;
  await rm(lock, { force: true });
  return true;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}
