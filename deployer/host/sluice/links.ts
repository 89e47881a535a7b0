import {
  closeSync,
  fsyncSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';

/** What the front door dials: reads go to `live.sock`, all other methods to `write.sock`. */
export type Link = 'live.sock' | 'write.sock';
export const SLUICE = 'sluice.sock';
export const CONTROL = 'control.sock';
/** Where the front door's process writes its handle. */
export const HANDLE = 'front-door.json';

const SOCKET = /^[a-z0-9-]{1,40}\.sock$/;
const RESERVED: readonly string[] = ['live.sock', 'write.sock', SLUICE, CONTROL];

/** Whether it is the base name that an instance's socket may have. */
export function isInstanceSocket(name: unknown): name is string {
  return typeof name === 'string' && SOCKET.test(name) && !RESERVED.includes(name);
}

/** The base name that a link points to, null when there is no such link. */
export function readLink(directory: string, link: Link): string | null {
  try {
    return readlinkSync(join(directory, link));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Re-points both links, live first: one that fails in between has moved no write. */
export function pointBoth(directory: string, socket: string): void {
  replaceLink(directory, 'live.sock', socket);
  replaceLink(directory, 'write.sock', socket);
  syncDirectory(directory);
}

export function pointWrites(directory: string, socket: string): void {
  replaceLink(directory, 'write.sock', socket);
  syncDirectory(directory);
}

/** Gives the writes back to the side that is live. */
export function pointWritesToLive(directory: string): void {
  const live = readLink(directory, 'live.sock');
  if (live === null) rmSync(join(directory, 'write.sock'), { force: true });
  else pointWrites(directory, live);
}

export function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** By rename, so that there is no moment without the link. */
function replaceLink(directory: string, link: Link, socket: string): void {
  const fresh = join(directory, `.${link}.${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(socket, fresh);
  renameSync(fresh, join(directory, link));
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
