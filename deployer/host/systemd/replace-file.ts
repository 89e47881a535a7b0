import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** By rename, and on disk before: systemd may read it at any moment, also after the power has failed. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}.tmp-${process.pid}`;
  const descriptor = openSync(fresh, 'w', mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(fresh, path);
}
