import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FailedError } from '../problem.ts';
import type { RunDirectory } from './types.ts';

/** Bytes of a Unix socket's path, without the final NUL (`sun_path`, unix(7)). */
const SOCKET_PATH = 107;
/** `/<environment>/<name>.sock` at its longest. */
const LONGEST_TAIL = 1 + 31 + 1 + 40 + '.sock'.length;
const NAME = /^[a-z][a-z0-9-]{0,30}$/;

/**
 * `<home>/run/<environment>` where sockets' paths fit, else a private directory of a short path.
 * Then `<home>/run` is a link to it, so that a later daemon finds it whatever its variables say.
 * Throws a `FailedError` when that directory could be somebody else's.
 */
export function runDirectory(home: string, env: NodeJS.ProcessEnv = process.env): RunDirectory {
  const inside = join(resolve(home), 'run');
  let root: string | undefined;
  return {
    of(environment) {
      if (!NAME.test(environment))
        throw new FailedError(`${JSON.stringify(environment)} is no environment's name`);
      root ??= fits(inside) ? inside : shortRoot(inside, env);
      const directory = join(root, environment);
      mkdirSync(root, { recursive: true, mode: 0o700 });
      if (root !== inside) assertPrivate(root);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return directory;
    },
  };
}

function fits(root: string): boolean {
  return Buffer.byteLength(root) + LONGEST_TAIL <= SOCKET_PATH;
}

function shortRoot(inside: string, env: NodeJS.ProcessEnv): string {
  const known = linkTarget(inside);
  if (known !== null && fits(known) && isThere(known)) return known;
  // As long as `/run/user/1000` leaves room for.
  const name = `deploy-${createHash('sha256').update(inside).digest('base64url').slice(0, 7)}`;
  const parents = [env['XDG_RUNTIME_DIR'] || tmpdir(), tmpdir(), '/tmp'];
  const root = parents.map((parent) => join(resolve(parent), name)).find(fits);
  if (root === undefined)
    throw new FailedError('no directory has a path short enough for sockets: set TMPDIR=/tmp');
  mkdirSync(resolve(inside, '..'), { recursive: true });
  const link = `${inside}.${process.pid}`;
  rmSync(link, { force: true });
  symlinkSync(root, link);
  renameSync(link, inside);
  return root;
}

/** The system's temporary directory belongs to everybody: a directory prepared there by another user would own our sockets. */
function assertPrivate(root: string): void {
  const found = lstatSync(root);
  if (!found.isDirectory())
    throw new FailedError(`${root} is not a directory: remove it, it was not made by the deployer`);
  if (found.uid !== process.getuid?.()) {
    throw new FailedError(
      `${root} belongs to another user: remove it, or set XDG_RUNTIME_DIR to a directory of your own`,
    );
  }
  if ((found.mode & 0o077) !== 0) chmodSync(root, 0o700);
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
