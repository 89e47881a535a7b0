import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLink, type Link } from './links.ts';

/** Milliseconds that a link may point to a socket on which nobody accepts, while an instance is restarted. */
const PATIENCE = 5000;
const LONGEST_PAUSE = 50;

interface Dialling {
  /** Called as the connection is attempted, in the same step in which the link was read; the answer is called when it ended. */
  track?: (target: string) => () => void;
  /** The one who asked is gone. */
  gaveUp?: () => boolean;
}

/** A connection to what the link points to, tried again for 5 s wherever the link points by then. Null: there is none. */
export async function dial(directory: string, link: Link, dialling: Dialling = {}): Promise<Socket | null> {
  const deadline = performance.now() + PATIENCE;
  for (let pause = 2; !dialling.gaveUp?.(); pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const target = readLink(directory, link);
    if (target === null && readLink(directory, 'live.sock') === null) return null;
    const socket = target === null ? null : await attempt(join(directory, target), dialling.track?.(target));
    if (socket !== null) return socket;
    if (performance.now() > deadline) return null;
    await sleep(pause);
  }
  return null;
}

/** Null for any failure (no such socket, nobody accepts, the queue is full): the request was not executed then. */
function attempt(path: string, ended: (() => void) | undefined): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    if (ended) socket.once('close', ended);
    const failed = () => resolve(null);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
