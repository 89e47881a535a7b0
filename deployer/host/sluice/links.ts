import { readlinkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FailedError } from '../../problem.ts';

/** What the front door dials: reads go to `live.sock`, all other methods to `write.sock`. */
export type Link = 'live.sock' | 'write.sock';
export const SLUICE = 'sluice.sock';
export const CONTROL = 'control.sock';
/** Where the process that listens there writes its handle. */
export const HANDLE = 'front-door.json';
/** Where a web server listens for the writes of each instance, by the instance's name, to pass them on to it. */
export const WRITES = 'writes';

const SOCKET = /^[a-z0-9-]{1,40}\.sock$/;
const RESERVED: readonly string[] = ['live.sock', 'write.sock', SLUICE, CONTROL];

/** Whether it is the base name that an instance's socket may have. */
export function isInstanceSocket(name: unknown): name is string {
  return typeof name === 'string' && SOCKET.test(name) && !RESERVED.includes(name);
}

/** What a link points to, relative to the directory; null when there is no such link. */
export function readLink(directory: string, link: Link): string | null {
  try {
    return readlinkSync(join(directory, link));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The links of an environment. Sockets are given, and returned, by an instance's base name. */
export interface Links {
  readonly directory: string;
  live(): string | null;
  write(): string | null;
  /** Whether both sides can be pointed there. */
  canPointTo(socket: string): boolean;
  pointReads(socket: string): void;
  pointWritesToSluice(): void;
  /** Gives the writes back to the side that is live. */
  pointWritesToLive(): void;
  /**
   * Makes it survive a power cut where reads are pointed to: before any write is answered there, or what was acknowledged
   * would be on the side that nobody sees. A disk can take long over it; nobody else should wait meanwhile.
   */
  toDisk(): Promise<void>;
}

/** `through`: the directory below it of the sockets by which writes reach an instance; absent: the instance's own. */
export function linksIn(directory: string, through?: typeof WRITES): Links {
  const writesOf = (socket: string) => (through === undefined ? socket : join(through, socket));
  const nameOf = (link: Link) => {
    const target = readLink(directory, link);
    return target === null ? null : basename(target);
  };
  const pointWrites = (target: string) => replaceLink(directory, 'write.sock', target);
  return {
    directory,
    live: () => nameOf('live.sock'),
    write: () => nameOf('write.sock'),
    canPointTo: (socket) =>
      isInstanceSocket(socket) && [socket, writesOf(socket)].every((path) => isSocket(join(directory, path))),
    pointReads: (socket) => replaceLink(directory, 'live.sock', socket),
    pointWritesToSluice: () => pointWrites(SLUICE),
    pointWritesToLive() {
      const live = nameOf('live.sock');
      if (live === null) rmSync(join(directory, 'write.sock'), { force: true });
      else pointWrites(writesOf(live));
    },
    toDisk: () => syncDirectory(directory),
  };
}

/**
 * Points both links, live first: one that fails in between has moved no write.
 * @throws FailedError when it is not what an instance serves on; nothing was re-pointed then
 */
export async function point(links: Links, environment: string, socket: string): Promise<void> {
  if (!links.canPointTo(socket)) {
    throw new FailedError(
      `${JSON.stringify(socket)} is no instance's socket of ${environment}: nothing was re-pointed`,
    );
  }
  links.pointReads(socket);
  await links.toDisk();
  links.pointWritesToLive();
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** By rename, so that there is no moment without the link. */
function replaceLink(directory: string, link: Link, target: string): void {
  const fresh = join(directory, `.${link}.${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, join(directory, link));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
