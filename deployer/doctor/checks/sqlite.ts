import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Host } from '../../install/host.ts';
import { bad, good, type Examine } from '../check.ts';
import { isAtLeast } from '../versions.ts';

/** Before, two connections could corrupt a database: the WAL-reset bug, <https://sqlite.org/wal.html#walresetbug>. */
const LEAST = '3.51.3';
const ASK = "new (require('better-sqlite3'))(':memory:').prepare('select sqlite_version()').pluck().get()";

/** The SQLite that the deployer uses, and the one of each live application. */
export const sqlite: Examine = async ({ home, live, host }) => {
  const own = new Database(':memory:');
  const version = String(own.prepare('select sqlite_version()').pluck().get());
  own.close();
  const checks = live
    .filter(({ config }) => config?.database?.client === 'better-sqlite3')
    .map(async ({ environment, tree }) => {
      const release = join(home, 'releases', tree ?? '');
      const actual = await versionIn(release, host);
      return judge(
        `SQLite of ${environment}`,
        actual,
        'update better-sqlite3 in its lockfile and deploy',
        release,
      );
    });
  return [
    judge('SQLite of the deployer', version, 'npm ci in the deployer’s clone'),
    ...(await Promise.all(checks)),
  ];
};

/** null: the application has it from elsewhere, which cannot be asked. */
async function versionIn(release: string, host: Host): Promise<string | null> {
  if (!existsSync(join(release, 'node_modules', 'better-sqlite3'))) return null;
  const own = join(release, 'node_modules', '.bin', 'node');
  const node = existsSync(own) ? own : process.execPath;
  return host.run([node, '--print', ASK], { cwd: release });
}

function judge(name: string, actual: string | null, hint: string, location?: string) {
  const expected = `${LEAST} or newer`;
  if (actual === null) return good(name, 'not known: it brings no better-sqlite3', expected);
  if (isAtLeast(actual, LEAST)) return good(name, actual, expected);
  return bad(name, { expected, actual, hint, ...(location !== undefined && { location }) });
}
