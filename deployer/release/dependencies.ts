import { mkdir, mkdtemp, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFileSystem } from '../host/sync.ts';
import { makeReadOnly, removeTree } from './files.ts';
import { runInstall, type InstallOptions } from './install.ts';
import type { InstallPlan } from './install-plan.ts';
import { createLocks } from './locks.ts';

/** `dependencies/<key>/node_modules`: installed once, read-only, linked into every release that needs the same. */
export interface Dependencies {
  /** @throws FailedError when the install command fails */
  ensure(
    plan: InstallPlan & { kind: 'shared' },
    request: { log: (line: string) => void; signal: AbortSignal },
  ): Promise<'installed' | 'reused'>;
  /** What a release's `node_modules` points to; relative, so that the home can be moved. */
  link(key: string): string;
  /** Removes what is not needed. */
  prune(needed: (key: string) => boolean): Promise<void>;
}

export function createDependencies(options: InstallOptions): Dependencies {
  const root = join(options.home, 'dependencies');
  const locks = createLocks();

  async function install(
    plan: InstallPlan & { kind: 'shared' },
    request: { log: (line: string) => void; signal: AbortSignal },
  ): Promise<void> {
    await mkdir(root, { recursive: true });
    const workspace = await mkdtemp(join(root, `${plan.key}.tmp-`));
    try {
      for (const [name, text] of plan.files) await writeFile(join(workspace, name), text);
      await runInstall(plan.argv, workspace, request, options);
      await mkdir(join(workspace, 'node_modules'), { recursive: true });
      await makeReadOnly(workspace);
      // Thousands of files are not looked at again when they are reused: they must be on disk before the name is.
      await syncFileSystem(workspace, request.signal);
      await rename(workspace, join(root, plan.key));
    } finally {
      await removeTree(workspace);
    }
  }

  return {
    ensure: async (plan, request) =>
      await locks.run(
        plan.key,
        async () => {
          if (await isDirectory(join(root, plan.key, 'node_modules'))) return 'reused';
          await removeTree(join(root, plan.key));
          await install(plan, request);
          return 'installed';
        },
        request.signal,
      ),
    link: (key) => join('..', '..', 'dependencies', key, 'node_modules'),
    async prune(needed) {
      for (const name of await readdir(root).catch(() => [])) {
        const [key = '', temporary] = name.split('.tmp-');
        if (locks.held(key)) continue;
        await locks.run(key, async () => {
          if (temporary !== undefined || !needed(key)) await removeTree(join(root, name));
        });
      }
    },
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
