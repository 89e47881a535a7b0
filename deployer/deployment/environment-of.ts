import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Environment } from '../../environments/schema.ts';
import type { Generation } from '../data/types.ts';
import type { Release } from '../release/types.ts';
import { FailedError } from '../problem.ts';
import type { OwnSecrets } from './own-secrets.ts';

/** Uploads and other files of an environment, kept over deployments. */
export const filesOf = (home: string, environment: string): string => join(home, 'files', environment);

/** What a release's programs and instances see (contract section 4), and nothing of the deployer's own environment. */
export function releaseEnvironment(options: {
  home: string;
  config: Environment;
  deployment: string;
  commit: string;
  branch: string;
  deployedAt: string;
  release: Release;
  generation: Generation | null;
  /** The environment's own, from the host. */
  secrets: OwnSecrets;
  /** Its programs will be started again soon. */
  runsAgain?: boolean | undefined;
}): Record<string, string> {
  const { home, config, release, generation, secrets } = options;
  const files = filesOf(home, config.name);
  const scratch = join(home, 'scratch', config.name);
  for (const directory of [files, scratch]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    LANG: 'C.UTF-8',
    NODE_ENV: 'production',
    ...secrets,
    PATH: [
      join(release.directory, 'node_modules', '.bin'),
      dirname(process.execPath),
      '/usr/local/bin',
      '/usr/bin',
      '/bin',
    ].join(':'),
    HOME: scratch,
    ...compileCache(join(home, 'cache', release.tree), options.runsAgain ?? true),
    ENVIRONMENT: config.name,
    DEPLOYMENT_ID: options.deployment,
    RELEASE_COMMIT: options.commit,
    RELEASE_TREE: release.tree,
    RELEASE_BRANCH: options.branch,
    DEPLOYED_AT: options.deployedAt,
    FILES_DIR: files,
    ...generation?.env,
  };
}

/**
 * Each tree has a cache of compiled code of its own, so that no release can leave code to the next. To fill it takes longer
 * than it saves at the first run after (measured: 100 to 400 ms as a process ends, of 75 to 250 ms): only where it is filled,
 * or several runs will follow.
 */
function compileCache(cache: string, runsAgain: boolean): Record<string, string> {
  if (!runsAgain && !existsSync(cache)) return { NODE_DISABLE_COMPILE_CACHE: '1' };
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  return { NODE_COMPILE_CACHE: cache };
}

/** What the programs of a release write: their database, files, scratch and compiled code. */
export function writesOf(env: Readonly<Record<string, string>>): string[] {
  const database = env['DATABASE_FILE'];
  const others = ['FILES_DIR', 'HOME', 'NODE_COMPILE_CACHE'].map((name) => env[name]);
  return [database === undefined ? undefined : dirname(database), ...others].filter(
    (path) => path !== undefined,
  );
}

/** A command of the environment's file as argv; `field` for the message. */
export function argvOf(
  split: (command: string) => string[],
  config: Environment,
  field: 'start' | 'migrate' | 'verify',
): string[] {
  const command = config.commands[field];
  if (command === undefined)
    throw new FailedError(`environments/${config.name}.yaml: commands.${field} is missing`);
  return split(command);
}
