import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedError } from '../../problem.ts';
import { git, GitError, gitText } from '../../release/git.ts';
import { hookScript, isOurHook } from './hook-script.ts';
import { originOf } from './path.ts';

/**
 * The bare repository `<home>/origin.git` with the checkout's HEAD as `dev` and `main`; one that is already there is
 * used as it is. `checkout` null: it must be there.
 * @throws FailedError when there is nothing to make it from
 */
export async function createOrigin(request: { home: string; checkout: string | null }): Promise<void> {
  const { home, checkout } = request;
  const origin = originOf(home);
  if (await exists(origin)) return await needRepository(origin);
  if (checkout === null) {
    throw new FailedError(
      `there is no repository at ${origin}: run npm start, or git clone --bare yours there`,
    );
  }
  await mkdir(home, { recursive: true });
  const temporary = `${origin}.tmp-${randomBytes(4).toString('hex')}`;
  try {
    await build(temporary, checkout);
    await rename(temporary, origin);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Makes pushes known to the deployer at `url`, by a post-receive hook.
 * @returns false when the repository has a hook of its own, which is left alone
 */
export async function installHook(request: { home: string; url: string }): Promise<boolean> {
  const hooks = join(originOf(request.home), 'hooks');
  const hook = join(hooks, 'post-receive');
  const present = await readFile(hook, 'utf8').catch(() => null);
  if (present !== null && !isOurHook(present)) return false;
  await mkdir(hooks, { recursive: true });
  const temporary = `${hook}.tmp-${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, hookScript(request));
  await chmod(temporary, 0o755);
  await rename(temporary, hook);
  return true;
}

async function build(repository: string, checkout: string): Promise<void> {
  await git(['init', '--quiet', '--bare', '--template=', '--end-of-options', repository]);
  const head = await fetchHead(repository, checkout);
  const settings = [
    // Whoever pushes may have hooks of their own configured for all repositories; here the repository's own are meant.
    ['core.hooksPath', 'hooks'],
    ['core.logAllRefUpdates', 'true'],
    ['receive.shallowUpdate', 'true'],
  ] as const;
  for (const [name, value] of settings) await git(['config', name, value], { repository });
  await git(['update-ref', 'refs/heads/dev', head], { repository });
  await git(['symbolic-ref', 'HEAD', 'refs/heads/main'], { repository });
}

async function fetchHead(repository: string, checkout: string): Promise<string> {
  const options = '--quiet --no-tags --update-shallow --no-write-fetch-head --end-of-options'.split(' ');
  try {
    await git(['fetch', ...options, checkout, '+HEAD:refs/heads/main'], {
      repository,
      env: { GIT_ALLOW_PROTOCOL: 'file' },
      timeoutMs: 600_000,
    });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new FailedError(whyNotFetched(checkout, error.message), { cause: error });
  }
  return await gitText(['rev-parse', 'refs/heads/main'], { repository });
}

/** git's own words are matched here only. */
function whyNotFetched(checkout: string, message: string): string {
  if (/couldn't find remote ref HEAD/.test(message)) {
    return `${checkout} has no commit yet: commit something (git commit), then start again`;
  }
  if (/not appear to be a git repository|not a git repository/.test(message)) {
    return `${checkout} is not the top of a git repository: git init and commit, or start in a clone`;
  }
  return `${checkout} cannot be copied: ${message}`;
}

async function needRepository(origin: string): Promise<void> {
  try {
    await git(['for-each-ref', '--count=1'], { repository: origin });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new FailedError(`${origin} is not a git repository: move it away`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
