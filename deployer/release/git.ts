import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { execute } from '../host/execute.ts';
import type { Executed } from '../host/types.ts';
import { oneLine } from '../problem.ts';
import { pickVariables } from './variables.ts';

/** The only place that starts git: argv arrays, our own configuration alone, nobody's hooks. */

export interface GitCall {
  /** The repository (`--git-dir`); git looks for none by itself. */
  repository?: string;
  input?: string | Buffer;
  /** Added to git's environment; what a forge's remote needs, a temporary index. */
  env?: Readonly<Record<string, string>>;
  /** Given to git, and so to its credential helper, on file descriptor 3: neither argv nor environment shows it. */
  secret?: string | undefined;
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
  const ended = await execute(
    {
      argv: ['git', ...argvOf(args, call)],
      env: environment(call.env),
      input: call.input,
      secret: call.secret,
      timeoutMs: call.timeoutMs ?? 60_000,
    },
    call.signal,
  );
  const odd = call.strict && /^(error|fatal):/m.test(ended.stderr);
  if (ended.exitCode === 0 && !ended.error && !odd) return ended.stdout;
  if (call.signal?.aborted) throw abortReason(call.signal);
  throw failure(args, ended);
}

/** A git that answers for as long as its stdin is open; it ends with us. It does not keep the process alive. */
export function gitServer(args: readonly string[], call: Pick<GitCall, 'repository'>): ChildProcess {
  const child = spawn('git', argvOf(args, call), { env: environment(), stdio: ['pipe', 'pipe', 'ignore'] });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref();
  return child;
}

const argvOf = (args: readonly string[], { repository }: Pick<GitCall, 'repository'>): string[] => [
  ...OVERRIDES,
  ...(repository ? [`--git-dir=${repository}`] : []),
  ...args,
];

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

function failure(args: readonly string[], { exitCode, stdout, stderr, error }: Executed): GitError {
  const isMissing = error?.code === 'ENOENT';
  const about = { exitCode, stdout, cause: isMissing ? error : undefined };
  const verb = `git ${args.find((word) => /^[a-z][a-z-]+$/.test(word)) ?? ''}`.trim();
  if (isMissing) return new GitError('git is not installed: apt install git', about);
  if (exitCode === null) return new GitError(`${verb} took too long and was stopped`, about);
  return new GitError(`${verb}: ${tellingLine(stderr) || `exited with ${exitCode}`}`, about);
}

function tellingLine(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^(fatal|error|remote: (fatal|error)):/i.test(line)) ?? lines[0] ?? '';
  return oneLine(telling.replaceAll(/:\/\/[^@/\s]*@/g, '://'));
}
