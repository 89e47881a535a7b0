import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFileSystem } from '../host/sync.ts';
import type { RunCommand } from '../host/types.ts';
import { FailedError } from '../problem.ts';
import { checkOut } from './checkout.ts';
import { createDependencies, type Dependencies } from './dependencies.ts';
import { makeReadOnly, removeTree, replaceDirectory } from './files.ts';
import { GitError } from './git.ts';
import { runInstall, type InstallOptions } from './install.ts';
import { planInstall, RUNTIME, type InstallPlan } from './install-plan.ts';
import { differences } from './integrity.ts';
import { createLocks } from './locks.ts';
import { readManifest, writeManifest, type Manifest } from './manifest.ts';
import { isObjectId } from './names.ts';
import { ObjectServer } from './object-server.ts';
import { pruneReleases, type Uses } from './prune.ts';
import type { ReadObject, Release, Releases } from './types.ts';

export interface ReleasesOptions {
  /** The deployer's home: `releases/`, `dependencies/` and `cache/` are kept there. */
  home: string;
  /** The mirror's directory. */
  repository: string;
  /** Reads the mirror's objects; by default through a git of its own. */
  read?: ReadObject;
  runCommand: RunCommand;
  /** Words of a command as a shell would split them. */
  splitCommand: (command: string) => string[];
  /** The deployer's environment, of which an install gets the proxy and registry settings. */
  env?: Readonly<Record<string, string | undefined>>;
}

type Request = Parameters<Releases['build']>[0];

/** A directory beside `releases/` where an instance of this release may keep what it can make anew (compiled code). */
export function cacheDirectory(home: string, tree: string): string {
  return join(home, 'cache', tree);
}

/** Releases by tree hash. One process at a time may own a home. */
export function createReleases(options: ReleasesOptions): Releases {
  const install = { home: options.home, runCommand: options.runCommand, env: options.env ?? process.env };
  const dependencies = createDependencies(install);
  const locks = createLocks();
  const uses: Uses = new Map();
  const builder = new Builder(options, install, dependencies);
  let turn = 0;
  return {
    async build(request) {
      if (![request.tree, request.commit].every(isObjectId)) throw new TypeError('build takes object ids');
      turn += 1;
      const use = { turn, keys: new Set<string>(uses.get(request.tree)?.keys) };
      uses.set(request.tree, use);
      return await locks.run(request.tree, () => builder.build(request, use.keys), request.signal);
    },
    damage: async (release) => await locks.run(release.tree, () => builder.damage(release)),
    prune: async (keep) =>
      await pruneReleases({ home: options.home, keep, before: (turn += 1), uses, locks, dependencies }),
  };
}

class Builder {
  readonly #options: ReleasesOptions;
  readonly #install: InstallOptions;
  readonly #dependencies: Dependencies;
  readonly #read: ReadObject;

  constructor(options: ReleasesOptions, install: InstallOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#install = install;
    this.#dependencies = dependencies;
    const own = new ObjectServer(options.repository);
    this.#read = options.read ?? ((name) => own.find(name));
  }

  /** `keys` is told which dependencies the release uses, before they are looked for. */
  async build(request: Request, keys: Set<string>): Promise<Release> {
    try {
      const directory = await this.#directoryFor(request);
      return (await this.#reuse(directory, request, keys)) ?? (await this.#create(directory, request, keys));
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      throw new FailedError(`the release could not be written: ${error.message}`, { cause: error });
    }
  }

  async damage(release: Pick<Request, 'tree' | 'install'>): Promise<string | null> {
    const directory = await this.#directoryFor(release);
    const manifest = await readManifest(`${directory}.json`);
    return manifest && (await this.#difference(directory, manifest));
  }

  async #difference(directory: string, { inPlace, dependencies, entries }: Manifest): Promise<string | null> {
    const more = inPlace ? 'anything more' : new Set(dependencies ? ['node_modules'] : []);
    const [different = null] = await differences(directory, entries, more);
    return different;
  }

  /** The tree's own name, unless the same tree is there with another install command. */
  async #directoryFor({ tree, install }: Pick<Request, 'tree' | 'install'>): Promise<string> {
    const plain = join(this.#options.home, 'releases', tree);
    const manifest = await readManifest(`${plain}.json`);
    if (!manifest || manifest.install === (install ?? null)) return plain;
    return `${plain}-${createHash('sha256')
      .update(install ?? '')
      .digest('hex')
      .slice(0, 8)}`;
  }

  /** The release that is there, when it is still what was built; null when it must be built (again). */
  async #reuse(directory: string, request: Request, keys: Set<string>): Promise<Release | null> {
    const manifest = await readManifest(`${directory}.json`);
    if (!manifest || (manifest.inPlace && manifest.runtime !== RUNTIME)) return null;
    const different = await this.#difference(directory, manifest);
    if (different) {
      request.log(`the release was changed since it was built (${different}): building it again`);
      return null;
    }
    const plan = await this.#plan(directory, manifest.entries, request);
    if ((plan.kind === 'shared' ? plan.key : null) !== manifest.dependencies) return null;
    if (plan.kind !== 'shared') {
      return {
        tree: request.tree,
        directory,
        reused: true,
        dependencies: plan.kind === 'none' ? 'none' : 'reused',
      };
    }
    if ((await readlink(join(directory, 'node_modules'))) !== this.#dependencies.link(plan.key)) return null;
    keys.add(plan.key);
    const state = await this.#dependencies.ensure(plan, request);
    return { tree: request.tree, directory, reused: true, dependencies: state };
  }

  async #create(directory: string, request: Request, keys: Set<string>): Promise<Release> {
    const { tree, signal } = request;
    await mkdir(join(this.#options.home, 'releases'), { recursive: true });
    const workspace = await mkdtemp(`${directory}.tmp-`);
    try {
      const entries = await checkOut({
        repository: this.#options.repository,
        read: this.#read,
        tree,
        directory: join(workspace, 'tree'),
        signal,
      });
      const plan = await this.#plan(join(workspace, 'tree'), entries, request);
      const dependencies = await this.#linkShared(plan, join(workspace, 'tree'), request, keys);
      await rm(`${directory}.json`, { force: true });
      await replaceDirectory(join(workspace, 'tree'), directory);
      if (plan.kind === 'in-place') await this.#installInPlace(plan.argv, directory, entries, request);
      await makeReadOnly(directory);
      await writeManifest(`${directory}.json`, {
        tree,
        install: request.install ?? null,
        runtime: RUNTIME,
        dependencies: plan.kind === 'shared' ? plan.key : null,
        inPlace: plan.kind === 'in-place',
        entries,
      });
      return { tree, directory, reused: false, dependencies };
    } finally {
      await removeTree(workspace);
    }
  }

  async #plan(directory: string, entries: Manifest['entries'], { install }: Request): Promise<InstallPlan> {
    return await planInstall(install ? this.#options.splitCommand(install) : [], directory, entries);
  }

  async #linkShared(
    plan: InstallPlan,
    directory: string,
    request: Request,
    keys: Set<string>,
  ): Promise<Release['dependencies']> {
    if (plan.kind !== 'shared') return plan.kind === 'none' ? 'none' : 'installed';
    keys.add(plan.key);
    const state = await this.#dependencies.ensure(plan, request);
    await symlink(this.#dependencies.link(plan.key), join(directory, 'node_modules'));
    return state;
  }

  /** At its final path, because some tools write that into what they make. */
  async #installInPlace(
    argv: readonly string[],
    directory: string,
    entries: Manifest['entries'],
    request: Request,
  ): Promise<void> {
    await runInstall(argv, directory, request, this.#install);
    const [different] = await differences(directory, entries, 'anything more');
    if (different) {
      throw new FailedError(`${argv[0]} changed a file of the tree: ${different}; write to another file`);
    }
    // What it made is not looked at again.
    await syncFileSystem(directory, request.signal);
  }
}
