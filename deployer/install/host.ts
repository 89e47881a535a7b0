import { runCommand } from '../host/command.ts';
import { FailedError } from '../problem.ts';

/** The machine, as the steps use it: its own programs, as root, with nothing of the caller's environment. */
export interface Host {
  /** Its stdout, trimmed. @throws FailedError with the program's last line */
  run(argv: readonly string[], how?: { cwd?: string; env?: Record<string, string> }): Promise<string>;
  /** Its stdout, trimmed, or null when it says no. */
  ask(argv: readonly string[]): Promise<string | null>;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The longest that a package manager may take. */
const TIMEOUT_MS = 30 * 60_000;

/** @param log gets what the programs say meanwhile */
export function thisHost(log: (line: string) => void, signal: AbortSignal): Host {
  const start = (
    argv: readonly string[],
    how: { cwd?: string; env?: Record<string, string> } = {},
    tell = log,
  ) =>
    runCommand({
      argv,
      cwd: how.cwd ?? '/',
      env: { PATH, HOME: '/root', LANG: 'C.UTF-8', ...how.env },
      timeoutMs: TIMEOUT_MS,
      signal,
      log: tell,
      stdout: 'collect',
    });
  return {
    async run(argv, how) {
      const { exitCode, stdout, tail } = await start(argv, how);
      if (exitCode === 0) return stdout.trim();
      const why = tail.trim().split('\n').at(-1) || `it ended with ${exitCode ?? 'a signal'}`;
      throw new FailedError(`${argv.join(' ')}: ${why}`);
    },
    async ask(argv) {
      const { exitCode, stdout } = await start(argv, {}, () => undefined).catch(() => ({
        exitCode: null,
        stdout: '',
      }));
      return exitCode === 0 ? stdout.trim() : null;
    },
  };
}
