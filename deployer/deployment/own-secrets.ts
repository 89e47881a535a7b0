import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FailedError, oneLine, SettingsError } from '../problem.ts';
import { readVariables } from '../settings-file.ts';
import { credentialFiles } from '../settings.ts';

export type OwnSecrets = Readonly<Record<string, string>>;

/**
 * The environment's own secrets, from the host and never from the tree: `NAME=value` lines of `<environment>.env`, which is
 * a systemd credential of the deployer or lies in `<home>/secrets`. Read anew for each start.
 * The function throws a FailedError that names file and line when it cannot be understood.
 */
export function ownSecrets(options: {
  home: string;
  credentials: string | null;
  /** Told every value that is read. */
  know: (values: readonly string[]) => void;
}): (environment: string) => OwnSecrets {
  const { home, credentials, know } = options;
  return (environment) => {
    const file = `${environment}.env`;
    const places = [...(credentials ? credentialFiles(credentials, file) : []), join(home, 'secrets', file)];
    try {
      const found =
        places.reduce<OwnSecrets | null>((secrets, path) => secrets ?? readOwnSecrets(path, file), null) ??
        {};
      know(Object.values(found));
      return found;
    } catch (error) {
      if (error instanceof SettingsError) throw new FailedError(oneLine(error), { cause: error });
      throw error;
    }
  };
}

/**
 * What one file says; null when it is not there.
 * @throws SettingsError, FailedError for one that cannot be understood
 */
export function readOwnSecrets(path: string, name: string): OwnSecrets | null {
  const found = readVariables(path);
  return found && withoutOthers(found, name);
}

/** Why they cannot be understood; null: they can. */
export function whatIsWrong(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof SettingsError || error instanceof FailedError) return oneLine(error);
    throw error;
  }
}

/** What the deployer itself tells a release (contract section 4), and how it starts it. */
const TAKEN = new Set(
  [
    'LISTEN ENVIRONMENT DEPLOYMENT_ID DEPLOYMENT_MODE DEPLOYED_AT DATABASE_FILE FILES_DIR',
    'RELEASE_COMMIT RELEASE_TREE RELEASE_BRANCH PATH HOME NODE_COMPILE_CACHE UNIT_COMMAND UNIT_DIRECTORY',
  ].flatMap((names) => names.split(' ')),
);

function withoutOthers(secrets: OwnSecrets, file: string): OwnSecrets {
  const taken = Object.keys(secrets).find((name) => TAKEN.has(name));
  if (taken === undefined) return secrets;
  throw new FailedError(`${file}: ${taken} is told by the deployer itself: choose another name`);
}

/** Tells whether an instance was started with the same ones; null: with none. */
export function digestOf(secrets: OwnSecrets): string | null {
  const all = Object.entries(secrets).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return all.length === 0 ? null : createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
