import { statSync } from 'node:fs';
import type { Server } from 'node:net';

/** Milliseconds. */
const LOOK = 500;
const BACKLOG = 4096;

export function listening(
  server: Server,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Without its control socket a process cannot be found again: it leaves, so that another one can take its place. */
export function watchOwnership(path: string) {
  const own = statSync(path).ino;
  let timer: NodeJS.Timeout | undefined;
  const displaced = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (statSync(path, { throwIfNoEntry: false })?.ino !== own) resolve();
    }, LOOK);
  });
  return { displaced, stop: () => clearInterval(timer) };
}
