import { quote } from 'shell-quote';
import type { Environment } from '../../../environments/schema.ts';
import { splitCommand } from '../../host/split-command.ts';
import type { Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { PROMOTION_SUITE, REHEARSAL_SUITE } from '../rehearsal/suite.ts';

/** Suites of the deployer itself, which a release's `verify` does not know. */
const DEPLOYERS: readonly string[] = [REHEARSAL_SUITE, PROMOTION_SUITE];
/** A port that nothing well-known has. */
const LISTEN = '127.0.0.1:18765';

/**
 * Shell lines that do in a clone what the deployer did: the tree, its dependencies, a database made by its migrations,
 * an instance, and the suites that failed. None when there is nothing to reproduce.
 */
export function reproduce(
  { environment, commit, branch, config, outcome, request }: DeploymentRecord,
  suites: readonly Suite[],
): string[] {
  const failed = outcome === 'rejected' || outcome === 'failed' || outcome === 'rolled_back';
  if (!failed || !config) return [];
  const names = suites.filter(({ success }) => !success).map(({ name }) => name);
  return [
    ...checkOut({ commit, branch, pull: request.pull }),
    ...(config.commands.install ? [words(config.commands.install)] : []),
    ...variables(environment, config),
    ...(config.commands.migrate ? [`${words(config.commands.migrate)} up --json`] : []),
    `${words(config.commands.start)} &`,
    `curl --silent --show-error --fail --output /dev/null --retry 20 --retry-all-errors --retry-delay 1 http://${LISTEN}/_deploy/health`,
    ...verifying(
      config,
      names.filter((name) => !DEPLOYERS.includes(name)),
    ),
    'kill %1',
  ];
}

function checkOut({
  commit,
  branch,
  pull,
}: Pick<DeploymentRecord, 'commit' | 'branch'> & Pick<DeploymentRecord['request'], 'pull'>): string[] {
  if (!pull) return [quote(['git', 'fetch', 'origin', branch]), `git checkout --detach ${commit}`];
  return [
    quote(['git', 'fetch', 'origin', pull.base, pull.head]),
    quote(['git', 'checkout', '--detach', `origin/${pull.base}`]),
    `git merge --no-edit ${commit}`,
  ];
}

function variables(environment: string, { database }: Environment): string[] {
  const data =
    database === undefined
      ? []
      : database.client === 'pg'
        ? ['DATABASE_URL=postgres:///reproduce']
        : ['DATABASE_FILE="$PWD/.reproduce/database"'];
  return [
    'mkdir -p .reproduce/files',
    ['export PATH="$PWD/node_modules/.bin:$PATH"', 'FILES_DIR="$PWD/.reproduce/files"', ...data].join(' '),
    `export ENVIRONMENT=${environment} LISTEN=${LISTEN} DEPLOYMENT_MODE=true NODE_ENV=production`,
  ];
}

function verifying({ commands }: Environment, suites: readonly string[]): string[] {
  if (!commands.verify) return [];
  const asked = suites.map((name) => `--suite ${quote([name])}`);
  return [[words(commands.verify), `--url http://${LISTEN}`, ...asked].join(' ')];
}

/** As no shell splits a command of an environment, none may read more into it here either. */
const words = (command: string) => quote(splitCommand(command));
