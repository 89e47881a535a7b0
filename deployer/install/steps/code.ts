import { existsSync } from 'node:fs';
import { mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFileSystem } from '../../host/sync.ts';
import { checkOut } from '../../release/checkout.ts';
import { makeReadOnly, removeTree } from '../../release/files.ts';
import { ObjectServer } from '../../release/object-server.ts';
import type { Host } from '../host.ts';
import { LAYOUT } from '../layout.ts';
import type { Step } from '../step.ts';

/** The deployer's own code, by the hash of its tree: root's, and for nobody to write. */
export function code(host: Host, source: { repository: string; tree: string }): Step {
  const { repository, tree } = source;
  const release = join(LAYOUT.releases, tree);
  return {
    title: `the deployer's own code ${tree.slice(0, 8)} in ${LAYOUT.releases}, with its dependencies (npm ci)`,
    made: { kind: 'code', path: LAYOUT.code },
    check: async () => (existsSync(release) ? null : 'missing'),
    async apply() {
      await mkdir(LAYOUT.releases, { recursive: true, mode: 0o755 });
      // Only what is complete has its final name.
      const temporary = `${release}.tmp`;
      await removeTree(temporary);
      const objects = new ObjectServer(repository);
      const read = (name: string) => objects.find(name);
      await checkOut({ repository, read, tree, directory: temporary, signal: AbortSignal.timeout(120_000) });
      objects.end();
      const npm = [
        'npm',
        'ci',
        '--omit=dev',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        // Else it complains of an old Debian's Node, on which nothing but npm runs.
        '--loglevel=error',
      ];
      await host.run(npm, { cwd: temporary, env: { NODE_ENV: 'production' } });
      await host.run(['chown', '--recursive', 'root:root', temporary]);
      await makeReadOnly(temporary);
      await syncFileSystem(temporary);
      await rename(temporary, release);
    },
  };
}

/** Which of the releases is the deployer: one rename. What main had brought before gives way to it. */
export function currentCode(tree: string): Step {
  const target = join('releases', tree);
  return {
    title: `link ${LAYOUT.current} to ${target}`,
    made: { kind: 'code', path: LAYOUT.code },
    reloads: 'deployer',
    async check() {
      const actual = await readlink(LAYOUT.current).catch(() => null);
      if (actual === target) return null;
      return actual === null ? 'missing' : `it links to ${actual}`;
    },
    async apply() {
      await rm(join(LAYOUT.upgrades, 'current'), { force: true });
      const temporary = `${LAYOUT.current}.tmp`;
      await rm(temporary, { force: true });
      await symlink(target, temporary);
      await rename(temporary, LAYOUT.current);
    },
  };
}
