import { FailedError, oneLine } from '../problem.ts';
import { execute } from './execute.ts';

/** Gigabytes, on a slow disk. */
const TIMEOUT_MS = 30 * 60_000;

/**
 * Copies a file by a process of its own, which the file's locks here do not know: to close a file drops all locks that
 * this process has on it (fcntl(2)). Shares its blocks where the file system can. Makes a new file of `to` also when it is
 * done once more, because the starter was killed: its first `cp` lives on, and would write to the same.
 * @throws FailedError when that does not succeed
 */
export async function copyByProcess(from: string, to: string): Promise<void> {
  const argv = ['cp', '--reflink=auto', '--remove-destination', '--', from, to];
  const { exitCode, stderr, error } = await execute({
    argv,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    timeoutMs: TIMEOUT_MS,
  });
  if (exitCode !== 0) throw new FailedError(`${from} cannot be copied: ${error?.message ?? oneLine(stderr)}`);
}
