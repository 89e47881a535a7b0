import { execFile, type ExecFileException } from 'node:child_process';
import { join } from 'node:path';
import { oneLine } from '../problem.ts';
import { pickVariables } from './variables.ts';

/** The only place that starts git: argv arrays, our own configuration alone, nobody's hooks. */

export interface GitCall {
  /** The repository (`--git-dir`); git looks for none by itself. */
  repository?: string;
  input?: string | Buffer;
  /** Added to git's environment; what a forge's remote needs, a temporary index. */
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** An error on stderr is a failure, whatever the exit code: a damaged object is "missing" to `cat-file`. */
  strict?: boolean;
  /** Milliseconds, 60 s by default. */
  timeoutMs?: number;
}

/** git said no. The message is its first telling line, without credentials. */
export class GitError extends Error {
  override name = 'GitError';
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  constructor(message: string, how: { exitCode: number | null; stdout: Buffer; cause?: unknown }) {
    super(message, { cause: how.cause });
    this.exitCode = how.exitCode;
    this.stdout = how.stdout;
  }
}

/**
 * Runs git and returns its stdout.
 * @throws GitError when it fails or takes too long; the signal's reason when that aborts
 */
export async function git(args: readonly string[], call: GitCall = {}): Promise<Buffer> {
  call.signal?.throwIfAborted();
  const argv = [...OVERRIDES, ...(call.repository ? [`--git-dir=${call.repository}`] : []), ...args];
  return await new Promise<Buffer>((resolve, reject) => {
    const child = execFile(
      'git',
      argv,
      {
        env: environment(call.env),
        encoding: 'buffer',
        maxBuffer: 1 << 29,
        timeout: call.timeoutMs ?? 60_000,
        ...(call.signal ? { signal: call.signal } : {}),
      },
      (error, stdout, stderr) => {
        const odd = call.strict && /^(error|fatal):/m.test(stderr.toString('utf8'));
        if (!error && !odd) resolve(stdout);
        else if (call.signal?.aborted) reject(abortReason(call.signal));
        else reject(failure(args, error, stdout, stderr));
      },
    );
    // git may end without having read everything; its exit code says whether that matters.
    child.stdin?.on('error', () => {});
    child.stdin?.end(call.input ?? '');
  });
}

/** As `git`, trimmed text. */
export async function gitText(args: readonly string[], call: GitCall = {}): Promise<string> {
  return (await git(args, call)).toString('utf8').trim();
}

/** For questions that git answers with exit 1: `no` instead of an error. */
export async function gitOr<T>(no: T, question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return no;
    throw error;
  }
}

// Stronger than the configuration of the repository itself, which could be somebody else's.
const OVERRIDES = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];

const PASSED_THROUGH =
  /^(PATH|TMPDIR|https?_proxy|no_proxy|all_proxy|HTTPS_PROXY|NO_PROXY|ALL_PROXY|GIT_SSL_CAINFO|SSL_CERT_FILE|SSL_CERT_DIR)$/;

function environment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ...pickVariables(process.env, PASSED_THROUGH),
    GIT_ALLOW_PROTOCOL: '',
    ...added,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(import.meta.dirname, 'gitconfig'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

function failure(
  args: readonly string[],
  error: ExecFileException | null,
  stdout: Buffer,
  stderr: Buffer,
): GitError {
  const exitCode = typeof error?.code === 'number' ? error.code : error ? null : 0;
  const about = { exitCode, stdout, cause: error?.code === 'ENOENT' ? error : undefined };
  const verb = `git ${args.find((word) => /^[a-z][a-z-]+$/.test(word)) ?? ''}`.trim();
  if (error?.code === 'ENOENT') return new GitError('git is not installed: apt install git', about);
  if (error?.killed) return new GitError(`${verb} took too long and was stopped`, about);
  return new GitError(
    `${verb}: ${tellingLine(stderr.toString('utf8')) || `exited with ${error?.code}`}`,
    about,
  );
}

function tellingLine(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^(fatal|error|remote: (fatal|error)):/i.test(line)) ?? lines[0] ?? '';
  return oneLine(telling.replaceAll(/:\/\/[^@/\s]*@/g, '://'));
}
