import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { entriesIn } from '../release/entries.ts';
import { treeId } from '../release/tree.ts';

/** What of a tree makes the deployer: its code, what it imports, its state's migrations, its dependencies. */
const CODE = /^(?:deployer|backups|environments|migrations\/deployer)\//;
const FILES = new Set(['package.json', 'package-lock.json']);
/** What an environment wants is no code. */
const ENVIRONMENT = /^environments\/[^/]+\.yaml$/;
/** What of it only `deployer install`, as root, puts in its place. */
const OF_ROOT = /^(?:environments\/(?:systemd|front-door)|deployer\/(?:install|upgrade))\//;

const manifest = z.object({ bin: z.object({ deployer: z.string() }) });

/**
 * The deployer in a release or a checkout, as one id: two trees have the same when their deployers are the same, whatever
 * else they hold. null: there is none in it, it is another application.
 */
export async function deployerIn(directory: string): Promise<string | null> {
  return hasDeployer(directory) ? idOf(directory, (path) => CODE.test(path) || FILES.has(path)) : null;
}

/** The same of what root's install puts on the machine: units, rules, the front door, what judges an upgrade. */
export async function rootsPartIn(directory: string): Promise<string> {
  return idOf(directory, (path) => OF_ROOT.test(path));
}

/** SHA-256, whatever git uses in that repository. */
const LIKE = '0'.repeat(64);

async function idOf(directory: string, isPart: (path: string) => boolean): Promise<string> {
  const entries = await entriesIn(directory, LIKE);
  return treeId(
    entries.filter(({ path }) => isPart(path) && !ENVIRONMENT.test(path)),
    LIKE,
  );
}

function hasDeployer(directory: string): boolean {
  if (!existsSync(join(directory, 'deployer', 'cli', 'main.ts'))) return false;
  try {
    return manifest.safeParse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))).success;
  } catch {
    return false;
  }
}
