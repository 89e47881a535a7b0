import { open, stat } from 'node:fs/promises';
import { startedWith } from './proc.ts';
import type { InstanceHandle, InstanceManager, ProcessHandle, ServiceManager } from './types.ts';

/** Of what an instance wrote last, this much: a verification asks for a hundred pages, and each is a line of the log. */
export const SAID_BYTES = 262_144;

/** Instances as plain processes: nothing confines them, and nobody but the daemon brings them up again. */
export function processInstances(processes: ServiceManager): InstanceManager {
  /** Bytes of each log before its latest start. */
  const before = new Map<string, number>();
  const alive = (handle: InstanceHandle) => isProcess(handle) && processes.alive(handle);
  return {
    async start(spec) {
      before.set(spec.logFile, await sizeOf(spec.logFile));
      return processes.start(spec);
    },
    alive,
    stop: async (handle, graceMs) => {
      if (isProcess(handle)) await processes.stop(handle, graceMs);
    },
    exited: async (handle, signal) => {
      if (isProcess(handle)) await processes.exited(handle, signal);
    },
    async endUnnoted({ socket }) {
      await Promise.all(startedWith('LISTEN', socket).map((handle) => processes.stop(handle, 0)));
    },
    said: ({ logFile }) => endOf(logFile, before.get(logFile) ?? 0),
    present: (handle) => (alive(handle) ? handle : null),
    keep: async () => {},
  };
}

function isProcess(handle: InstanceHandle): handle is ProcessHandle {
  return 'pid' in handle;
}

/** What was written since `from` bytes; the log may have been cut since. */
async function endOf(file: string, from: number): Promise<string> {
  const size = await sizeOf(file);
  const start = Math.max(from > size ? 0 : from, size - SAID_BYTES);
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAID_BYTES), 0, SAID_BYTES, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
