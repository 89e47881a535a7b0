import { quote } from 'shell-quote';
import type { Environment } from '../../../environments/schema.ts';
import { splitCommand } from '../../host/split-command.ts';
import type { Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { PROMOTION_SUITE, REHEARSAL_SUITE } from '../rehearsal/suite.ts';

/** Suites of the deployer itself, which a release's `verify` does not know. */
const DEPLOYERS: readonly string[] = [REHEARSAL_SUITE, PROMOTION_SUITE];
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
    `${words(config.commands.start)} > "$TRY/log" 2>&1 &`,
    `${HEALTH} || cat "$TRY/log"`,
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
  if (!pull) return [`git fetch origin ${word(branch)}`, `git checkout --detach ${commit}`];
  return [
    `git fetch origin ${word(pull.base)} ${word(pull.head)}`,
    `git checkout --detach ${word(`origin/${pull.base}`)}`,
    `git merge --no-edit ${commit}`,
  ];
}

/** Beside the clone, so that it stays clean; on a private socket, as the deployer's instances. */
function variables(environment: string, { database }: Environment): string[] {
  const data =
    database === undefined
      ? []
      : database.client === 'pg'
        ? ['DATABASE_URL=postgres:///reproduce']
        : ['DATABASE_FILE="$TRY/database"'];
  return [
    'TRY="$(mktemp -d)"; mkdir "$TRY/files"',
    [
      'export PATH="$PWD/node_modules/.bin:$PATH" LISTEN="$TRY/live.sock" FILES_DIR="$TRY/files"',
      ...data,
    ].join(' '),
    `export ENVIRONMENT=${environment} DEPLOYMENT_MODE=true NODE_ENV=production`,
  ];
}

const HEALTH =
  'curl -fs -o /dev/null --retry 20 --retry-all-errors --retry-delay 1 --unix-socket "$LISTEN" http://localhost/_deploy/health';

function verifying({ commands, url, listen }: Environment, suites: readonly string[]): string[] {
  if (!commands.verify) return [];
  const asked = suites.map((name) => `--suite ${word(name)}`);
  const where = `--url ${word(url ?? `http://${listen}`)} --socket "$LISTEN"`;
  return [[words(commands.verify), where, ...asked].join(' ')];
}

/** As no shell splits a command of an environment, none may read more into it here either. */
const words = (command: string) => splitCommand(command).map(word).join(' ');

const word = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote([text]));
