import { mkdtemp, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { CommandResult, RunCommand } from '../host/types.ts';
import { again } from '../again.ts';
import { FailedError, oneLine, TransientError, UnreachableError } from '../problem.ts';
import { removeTree } from './files.ts';
import { pickVariables } from './variables.ts';

/** Running a release's install command: with what npm needs of the deployer's environment, and nothing else of it. */

export interface InstallOptions {
  /** The deployer's home; npm's download cache is kept there. */
  home: string;
  runCommand: RunCommand;
  /** The deployer's own environment. */
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds before each further try, where the registry does not answer. */
  pauses?: readonly number[];
}

const TIMEOUT_MINUTES = 15;

interface Request {
  log: (line: string) => void;
  signal: AbortSignal;
}

/**
 * @throws FailedError with the cause: `npm ci exited with 1: ETARGET: No matching version …`;
 * a TransientError where npm says that the registry or the disk was at fault
 */
export async function runInstall(
  argv: readonly string[],
  directory: string,
  request: Request,
  options: InstallOptions,
): Promise<void> {
  const { pauses } = options;
  await again(() => installOnce(argv, directory, request, options), { ...request, pauses });
}

async function installOnce(
  argv: readonly string[],
  directory: string,
  request: Request,
  options: InstallOptions,
): Promise<void> {
  const scratch = await mkdtemp(`${directory}.tmp-home-`);
  const lines: string[] = [];
  const log = (line: string): void => {
    if (lines.length < 2000) lines.push(line);
    request.log(line);
  };
  try {
    const env = await installEnvironment(directory, scratch, options);
    const timeoutMs = TIMEOUT_MINUTES * 60_000;
    const result = await options.runCommand({
      argv,
      cwd: directory,
      env,
      timeoutMs,
      signal: request.signal,
      log,
      stdout: 'log',
      network: true,
      background: true,
      ...accessOf(directory, scratch, env),
    });
    judge(argv, result, lines, request.signal);
  } finally {
    await removeTree(scratch);
  }
}

/** What an install command writes: where it installs, its home directory and npm's downloads. */
function accessOf(directory: string, scratch: string, env: Readonly<Record<string, string>>) {
  const { npm_config_userconfig: settings, npm_config_cache: cache } = env;
  return {
    writes: [directory, scratch, ...(cache === undefined ? [] : [cache])],
    reads: settings === undefined ? [] : [settings],
    makes: directory,
  };
}

/** The whole environment of an install command. */
export async function installEnvironment(
  directory: string,
  scratch: string,
  { home, env }: InstallOptions,
): Promise<Record<string, string>> {
  const userConfig = env['HOME'] ? join(env['HOME'], '.npmrc') : undefined;
  return {
    ...(userConfig && (await isFile(userConfig)) ? { npm_config_userconfig: userConfig } : {}),
    ...pickVariables(env, PASSED_THROUGH),
    PATH: [
      join(directory, 'node_modules', '.bin'),
      dirname(process.execPath),
      '/usr/local/bin:/usr/bin:/bin',
      ...(await directoryOf('npm', env['PATH'])),
    ].join(delimiter),
    HOME: scratch,
    CI: 'true',
    npm_config_cache: join(home, 'cache', 'npm'),
    npm_config_ignore_scripts: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}

const PASSED_THROUGH =
  /^(npm_config_registry|npm_config_cafile|npm_config_userconfig|NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy)$/i;

/** npm may live elsewhere, with a version manager; last, so that it shadows nothing. */
async function directoryOf(program: string, path = ''): Promise<string[]> {
  for (const directory of path.split(delimiter)) {
    if (directory.startsWith('/') && (await isFile(join(directory, program)))) return [directory];
  }
  return [];
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function judge(
  argv: readonly string[],
  result: CommandResult,
  lines: readonly string[],
  signal: AbortSignal,
): void {
  signal.throwIfAborted();
  const option = argv.findIndex((word) => word.startsWith('-'));
  const command = argv.slice(0, option < 0 ? 3 : Math.min(option, 3)).join(' ');
  if (result.timedOut) {
    throw new FailedError(`${command} took longer than ${TIMEOUT_MINUTES} minutes and was stopped`);
  }
  if (result.exitCode === 0) return;
  const how = result.exitCode === null ? 'was killed' : `exited with ${result.exitCode}`;
  const cause = firstCause(lines.length > 0 ? lines : result.tail.split('\n'));
  throw blame(lines, cause ? `${command} ${how}: ${cause}` : `${command} ${how}`);
}

/** What npm tells as its code when the registry, or the way there, is at fault. */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ESOCKETTIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EPIPE|ERR_SOCKET_TIMEOUT|E429|E5\d\d)$/;
const DISK = /^(ENOSPC|EDQUOT|EROFS|EIO)$/;

function blame(lines: readonly string[], message: string): FailedError {
  const code = codeOfNpm(saidByNpm(lines)) ?? '';
  if (UNREACHABLE.test(code)) return new UnreachableError(message);
  return DISK.test(code) ? new TransientError(message) : new FailedError(message);
}

const saidByNpm = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^npm (?:error|ERR!) (.*\S)/.exec(line)?.[1] ?? []);

const codeOfNpm = ([first = '']: readonly string[]): string | undefined => /^code (\S+)$/.exec(first)?.[1];

/** What says why an install command failed, as one line. */
export function firstCause(lines: readonly string[]): string {
  const npm = saidByNpm(lines);
  if (npm.length > 0) return oneLine(causeOfNpm(npm), 300);
  const telling = lines.find((line) => /\b(error|fatal|failed|cannot|not found|denied)\b/i.test(line));
  return oneLine(telling ?? lines.findLast((line) => line.trim() !== '') ?? '', 300);
}

/** npm spreads its reason over several lines, each with the code again, and says last what it is about. */
function causeOfNpm(lines: readonly string[]): string {
  const missing = lines.filter((line) => /^(Missing|Invalid): /.test(line));
  if (missing.length > 0)
    return `package-lock.json is not in sync with package.json: ${missing.join('; ')}; run npm install and commit it`;
  const code = codeOfNpm(lines);
  const said = lines
    .slice(code === undefined ? 0 : 1)
    .filter((line) => !/complete log of this run/.test(line))
    .map((line) => line.replace(/^(notarget|network|\d{3}|code \S+) /, ''))
    .join(' ');
  return [code, said].filter(Boolean).join(': ');
}
