import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, GitError, gitText } from './git.ts';
import { walk } from './walk.ts';

/** The deployer's own bare repository on disk: made, found sound, made anew. */

/** Attributes in a tree must not change what is written: what is deployed is what was committed. */
const ATTRIBUTES = '* -text -ident -filter -working-tree-encoding -export-ignore -export-subst\n';

/**
 * A usable repository in `directory`: the one that is there, or a new empty one in its place.
 * @returns whether it was made now
 */
export async function ensureRepository(directory: string): Promise<boolean> {
  const present = await isRepository(directory);
  if (present) await removeStaleLocks(directory);
  else await createRepository(directory, 'sha1');
  const attributes = join(directory, 'info', 'attributes');
  if ((await readFile(attributes, 'utf8').catch(() => '')) !== ATTRIBUTES) {
    await writeFile(attributes, ATTRIBUTES);
  }
  return !present;
}

/** Whether everything that the refs need is there and readable. Slow: for after an error. */
export async function isSound(directory: string): Promise<boolean> {
  return await succeeds(
    git(['fsck', '--full', '--no-dangling', '--no-progress'], { repository: directory, timeoutMs: 600_000 }),
  );
}

/** A new empty repository, whatever was there. */
export async function createRepository(directory: string, format: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const options = ['--quiet', '--bare', '--template=', `--object-format=${format}`];
  await git(['init', ...options, '--end-of-options', directory]);
  await mkdir(join(directory, 'info'));
}

async function isRepository(directory: string): Promise<boolean> {
  return await succeeds(git(['for-each-ref', '--count=1'], { repository: directory }));
}

async function succeeds(question: Promise<unknown>): Promise<boolean> {
  try {
    await question;
    return true;
  } catch (error) {
    if (error instanceof GitError && error.exitCode !== null) return false;
    throw error;
  }
}

/** What a git that was killed left behind; nobody else writes to this repository. */
async function removeStaleLocks(directory: string): Promise<void> {
  const places = [directory, join(directory, 'info'), ...allBelow(join(directory, 'refs'))];
  for (const place of places) {
    const locks = (await readdir(place).catch(() => [])).filter((name) => name.endsWith('.lock'));
    await Promise.all(locks.map((name) => rm(join(place, name), { force: true })));
  }
}

function allBelow(directory: string): string[] {
  return [directory, ...[...walk(directory)].flatMap(({ item, path }) => (item.isDirectory() ? [path] : []))];
}

/** `sha1` or `sha256`. */
export async function objectFormat(directory: string): Promise<string> {
  return await gitText(['rev-parse', '--show-object-format'], { repository: directory });
}

/** Each fetch leaves a pack: many are made few. Nothing is lost, not even what no branch has any more. Returns whether it did. */
export async function tidy(directory: string): Promise<boolean> {
  const packs = (await readdir(join(directory, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));
  if (packs.length < MOST_PACKS) return false;
  await git(['repack', '--geometric=2', '-d', '--quiet', '--no-write-bitmap-index'], {
    repository: directory,
    timeoutMs: 600_000,
  });
  return true;
}

const MOST_PACKS = 50;
