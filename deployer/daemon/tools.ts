import { join } from 'node:path';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Environment } from '../../environments/schema.ts';
import { openGenerations } from '../data/index.ts';
import { ErrorRates } from '../deployment/error-rate.ts';
import { instanceRegistry } from '../deployment/instances.ts';
import type { Journal } from '../deployment/journal.ts';
import { ownSecrets } from '../deployment/own-secrets.ts';
import { policyOf } from '../deployment/policy.ts';
import type { Tools } from '../deployment/work.ts';
import type { Forge } from '../forge/types.ts';
import { machineOf } from '../host/machine.ts';
import { runDirectory } from '../host/run-directory.ts';
import { splitCommand } from '../host/split-command.ts';
import { openMirror } from '../release/mirror.ts';
import { createReleases } from '../release/releases.ts';
import type { Redaction } from '../redaction.ts';
import type { EnvironmentRow } from '../reconcile/reconciler.ts';
import type { Settings } from '../settings.ts';
import type { Background } from './background.ts';
import { backupTools } from './backups.ts';
import { prune } from './prune.ts';

/** The edges of the house as the stages use them, on this machine. */
export async function openTools(parts: {
  home: string;
  machine: Pick<Settings, 'services' | 'frontDoor' | 'credentials'>;
  logger: Logger;
  clock: () => Date;
  ageClock: () => Date;
  state: Knex;
  journal: Journal;
  forge: Forge;
  background: Background;
  redaction: Redaction;
}): Promise<Tools> {
  const { home, redaction, logger, clock, ageClock, state, journal, forge } = parts;
  const generations = (environment: Environment) => openGenerations(home, environment);
  const directory = runDirectory(home);
  const { instances: services, frontDoor, runCommand } = machineOf(home, directory, parts.machine);
  const repository = join(home, 'mirror.git');
  const mirror = await openMirror({ directory: repository, remote: forge.remote });
  const read = (name: string) => mirror.object(name);
  const releases = createReleases({ home, repository, read, runCommand, splitCommand });
  const secretsOf = ownSecrets({ home, credentials: parts.machine.credentials, know: redaction.know });
  await knowGiven(state, secretsOf);
  const tools: Omit<Tools, 'prune'> = {
    home,
    journal,
    forge,
    services,
    releases,
    runCommand,
    splitCommand,
    generations,
    clock,
    ageClock,
    logger,
    mirror,
    frontDoor,
    runDirectory: directory,
    instances: instanceRegistry(state),
    policy: policyOf(state),
    secretsOf,
    redaction,
    errorRates: new ErrorRates(),
    backups: backupTools({
      home,
      generations,
      clock,
      background: parts.background,
    }),
  };
  return { ...tools, prune: (config) => prune(tools, state, config) };
}

/** What an earlier daemon has given to instances that run on is secret from the start. */
async function knowGiven(state: Knex, secretsOf: Tools['secretsOf']): Promise<void> {
  for (const { name } of await state<EnvironmentRow>('environments')) {
    try {
      secretsOf(name);
    } catch {
      // A file that cannot be read is told to whoever needs it.
    }
  }
}
