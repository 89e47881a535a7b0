import { FailedError, oneLine } from '../problem.ts';
import { execute } from './execute.ts';

const TIMEOUT_MS = 120_000;

/**
 * All that was written so far below a directory, and beside it in the same file system, survives a power cut from now on:
 * one wait for thousands of files.
 * @throws FailedError when the disk does not take it
 */
export async function syncFileSystem(directory: string, signal?: AbortSignal): Promise<void> {
  const argv = ['sync', '--file-system', directory];
  const { exitCode, stderr, error } = await execute(
    { argv, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, timeoutMs: TIMEOUT_MS },
    signal,
  );
  signal?.throwIfAborted();
  if (exitCode === 0) return;
  const why = error?.message ?? (oneLine(stderr) || `not within ${TIMEOUT_MS / 1000} s`);
  throw new FailedError(`what was written to ${directory} is not on disk: ${why}`);
}
