import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FailedError } from '../problem.ts';
import type { TreeEntry } from './tree.ts';

/** How a release gets its dependencies. */
export type InstallPlan =
  | { kind: 'none' }
  /** Depends on `files` alone, so that the result is shared under `key` by every release with the same. */
  | { kind: 'shared'; argv: string[]; key: string; files: ReadonlyMap<string, string> }
  /** May depend on any file of the release, and may write beside them. */
  | { kind: 'in-place'; argv: string[] };

/** Installed modules fit these only. */
export const RUNTIME = `${process.platform}-${process.arch}-${process.versions.modules}`;

/** @throws FailedError when npm is to install without a lockfile, or package.json cannot be read */
export async function planInstall(
  argv: readonly string[],
  directory: string,
  entries: readonly TreeEntry[],
): Promise<InstallPlan> {
  if (argv.length === 0) return { kind: 'none' };
  if (!installsByNpm(argv)) return { kind: 'in-place', argv: [...argv] };
  const has = new Set(entries.map((entry) => entry.path));
  const lockfile = LOCKFILES.find((name) => has.has(name));
  if (!lockfile || !has.has('package.json')) {
    const missing = lockfile ? 'package.json' : 'package-lock.json';
    throw new FailedError(`a lockfile is required to install with npm: commit ${missing}`);
  }
  const read = async (name: string): Promise<string> => await readFile(join(directory, name), 'utf8');
  const description = parse(packageJson, 'package.json', await read('package.json'));
  const lock = await read(lockfile);
  const needsTheTree =
    description.workspaces !== undefined ||
    entries.some(({ path }) => path.startsWith('node_modules/')) ||
    refersToFiles(description, parse(lockJson, lockfile, lock)) ||
    (runsScripts(argv) && Object.keys(lifecycle(description)).length > 0);
  if (needsTheTree) return { kind: 'in-place', argv: [...argv] };
  const files = new Map([
    ['package.json', JSON.stringify(onlyDependencies(description), null, 2)],
    [lockfile, lock],
    ...(has.has('.npmrc') ? [['.npmrc', await read('.npmrc')] as const] : []),
  ]);
  return { kind: 'shared', argv: [...argv], key: keyOf(argv, files), files };
}

// In npm's order of preference.
const LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json'];

const specifiers = z.record(z.string(), z.string()).optional();
const packageJson = z.looseObject({
  dependencies: specifiers,
  devDependencies: specifiers,
  optionalDependencies: specifiers,
  peerDependencies: specifiers,
  workspaces: z.unknown().optional(),
  scripts: z.record(z.string(), z.unknown()).optional(),
});
type PackageJson = z.infer<typeof packageJson>;

const lockJson = z.looseObject({
  packages: z
    .record(z.string(), z.looseObject({ link: z.unknown().optional(), resolved: z.unknown().optional() }))
    .optional(),
});

/** All that npm looks at in package.json to decide what to install. */
const RELEVANT = [
  ...'dependencies devDependencies optionalDependencies peerDependencies peerDependenciesMeta'.split(' '),
  ...'bundleDependencies bundledDependencies overrides allowScripts'.split(' '),
  ...'engines devEngines os cpu libc'.split(' '),
];
const LIFECYCLE = [
  'preinstall',
  'install',
  'postinstall',
  'preprepare',
  'prepare',
  'postprepare',
  'prepublish',
];

function onlyDependencies(description: PackageJson): Record<string, unknown> {
  const relevant = RELEVANT.filter((field) => field in description).map((field) => [
    field,
    description[field],
  ]);
  return { ...Object.fromEntries(relevant), scripts: lifecycle(description) };
}

function lifecycle({ scripts = {} }: PackageJson): Record<string, unknown> {
  return Object.fromEntries(Object.entries(scripts).filter(([name]) => LIFECYCLE.includes(name)));
}

function keyOf(argv: readonly string[], files: ReadonlyMap<string, string>): string {
  return createHash('sha256')
    .update(JSON.stringify([RUNTIME, argv, [...files]]))
    .digest('hex')
    .slice(0, 32);
}

function installsByNpm([program, verb = '']: readonly string[]): boolean {
  return program === 'npm' && /^(ci|clean-install|ic|i|in|install|add)$/.test(verb);
}

function runsScripts(argv: readonly string[]): boolean {
  return argv.some((word) => word === '--no-ignore-scripts' || word === '--ignore-scripts=false');
}

function refersToFiles(description: PackageJson, lock: z.infer<typeof lockJson>): boolean {
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;
  const wanted = fields.flatMap((field) => Object.values(description[field] ?? {}));
  const locked = Object.values(lock.packages ?? {});
  return (
    wanted.some((specifier) => /^(file:|link:|\.{0,2}\/|~\/)/.test(specifier)) ||
    locked.some(({ link, resolved }) => link === true || String(resolved).startsWith('file:'))
  );
}

function parse<T>(schema: z.ZodType<T>, name: string, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FailedError(`${name} cannot be read: it is not what npm writes`, { cause });
  }
}
