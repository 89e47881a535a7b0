import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const SWEEP_AFTER_BYTES = 16 * 1024 ** 2;

/**
 * Frees the buffers of what was read. V8 alone lets 64 MB and more of them pile up before it looks:
 * 50 bodies of 24 MB at once left 219 MB resident, of a process that begins with 107 MB; with this 130 MB (measured).
 * @returns to be called with the bytes of each chunk
 */
export function sweeper(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect: (options: { type: 'major' }) => void = runInNewContext('gc');
  let read = 0;
  return (bytes) => {
    read += bytes;
    if (read < SWEEP_AFTER_BYTES) return;
    read = 0;
    collect({ type: 'major' });
  };
}
