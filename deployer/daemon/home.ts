import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, SettingsError } from '../problem.ts';

export interface HomeLock {
  release(): void;
  /** Releases a home in which nothing came to be: what was not there before goes again. */
  abandon(): void;
}

/** A lock that nobody refers to would be collected as garbage, and let go. */
const held = new Set<Database.Database>();

/**
 * Makes the home this process's own until it ends, however it ends: SQLite's lock goes with the process.
 * @throws SettingsError when it cannot be written or another deployer has it
 */
export function claimHome(home: string): HomeLock {
  let made: string[];
  try {
    made = makeDirectories(home);
    accessSync(home, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SettingsError(
      `DEPLOYER_HOME ${home} cannot be written (${codeOf(error)}): choose another directory`,
    );
  }
  const pidFile = join(home, 'deployer.pid');
  const lock = acquire(home, () => read(pidFile) ?? 'unknown');
  writeFileSync(pidFile, `${process.pid}\n`);
  held.add(lock);
  const release = () => {
    held.delete(lock);
    lock.close();
  };
  return {
    release,
    abandon() {
      if (made.length > 0) {
        removeSockets(join(home, 'run'));
        rmSync(home, { recursive: true, force: true });
      }
      release();
      for (const directory of made.filter((path) => path !== home)) removeEmpty(directory);
    },
  };
}

/** Those that were missing, the deepest first. Node's own `recursive` never returns where the parent takes none, as /proc. */
function makeDirectories(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  const above = makeDirectories(dirname(path));
  mkdirSync(path, { mode: 0o700 });
  return [path, ...above];
}

/** Where the path of a home is too long for sockets, `run` is a link to their place elsewhere. */
function removeSockets(run: string): void {
  if (!lstatSync(run, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  rmSync(readlinkSync(run), { recursive: true, force: true });
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else has put something there meanwhile.
  }
}

function acquire(home: string, holder: () => string): Database.Database {
  let lock: Database.Database | undefined;
  try {
    lock = new Database(join(home, 'deployer.lock'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const code = String((error as { code?: string }).code);
    throw new SettingsError(
      code.startsWith('SQLITE_BUSY')
        ? `DEPLOYER_HOME ${home} is in use by another deployer (process ${holder()})`
        : `DEPLOYER_HOME ${home}: its deployer.lock cannot be locked (${code}): remove it, or choose another directory`,
    );
  }
}

/** A secret of the home, generated on the first start; mode 0600. */
export function homeSecret(home: string, name: string): string {
  const file = join(home, name);
  const present = read(file);
  if (present) return present;
  const secret = randomBytes(32).toString('hex');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  // An empty file that was there already keeps its own mode.
  chmodSync(file, 0o600);
  return secret;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
