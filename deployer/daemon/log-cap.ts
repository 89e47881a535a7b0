import { open, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../problem.ts';

const LIMIT_BYTES = 50 * 1024 ** 2;
const KEPT_BYTES = 1024 ** 2;
const LOOK_MS = 1000;

/**
 * Keeps each log of a directory below 50 MB: what is beyond is cut, but for the last MB, which goes to `<name>.1`. Whoever
 * writes goes on writing to the same file. Where systemd runs things, the journal has limits of its own.
 * @returns what ends it
 */
export function startLogCap(directory: string, warn: (error: unknown) => void): () => void {
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    capLogs(directory, LIMIT_BYTES)
      .catch(warn)
      .finally(() => (looking = false));
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

export async function capLogs(directory: string, limitBytes: number): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.log'));
  await Promise.all(names.map((name) => cap(join(directory, name), limitBytes)));
}

async function cap(file: string, limitBytes: number): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= limitBytes) return;
  const kept = Math.min(KEPT_BYTES, limitBytes);
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(kept), 0, kept, size - kept);
    await writeFile(`${file}.1`, buffer.subarray(0, bytesRead), { mode: 0o600 }).catch(unlessFull);
  } finally {
    await handle.close();
  }
  await truncate(file);
}

/** Then all the more reason to cut. */
function unlessFull(error: unknown): void {
  if (codeOf(error) !== 'ENOSPC') throw error;
}
