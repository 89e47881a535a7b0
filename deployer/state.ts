import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import knex, { type Knex } from 'knex';
import { oneLine, SettingsError } from './problem.ts';

const MIGRATIONS = fileURLToPath(new URL('../migrations/deployer', import.meta.url));

/** The key of the advisory lock by which a daemon has the store to itself: the first bytes of "deployer". */
const CLAIM = 0x6465706c;

/** What Knex would print, it also throws. */
const QUIET = { warn() {}, error() {}, deprecate() {}, debug() {} };

/** Opens the deployer's own state, brought up to date: SQLite in `home`, or the shared PostgreSQL store. */
export async function openState(options: { home: string; databaseUrl: string | null }): Promise<Knex> {
  const state = knex(options.databaseUrl ? postgres(options.databaseUrl) : sqlite(options.home));
  try {
    // The home belongs to this process alone: a lock that is still there is of one that died while it migrated.
    if (!options.databaseUrl) await state.migrate.forceFreeMigrationsLock();
    await state.migrate.latest();
  } catch (error) {
    await state.destroy();
    const where = options.databaseUrl ? 'DEPLOYER_DATABASE_URL' : join(options.home, 'state.sqlite');
    throw new SettingsError(`the deployer's state cannot be opened: ${where}: ${oneLine(error, 200)}`);
  }
  return state;
}

/** The names of this deployer's migrations that the store does not have yet. @throws when it has others */
export async function pendingMigrations(options: {
  home: string;
  databaseUrl: string | null;
}): Promise<string[]> {
  const state = readState(options);
  try {
    const [, pending] = (await state.migrate.list({
      directory: MIGRATIONS,
      loadExtensions: ['.ts'],
    })) as [unknown, { file: string }[]];
    return pending.map(({ file }) => file);
  } finally {
    await state.destroy();
  }
}

/** The state as it is, to look at only, also beside a daemon that works on it. */
export function readState(options: { home: string; databaseUrl: string | null }): Knex {
  if (options.databaseUrl) {
    return knex({ client: 'pg', log: QUIET, connection: options.databaseUrl, pool: { min: 0, max: 1 } });
  }
  const filename = join(options.home, 'state.sqlite');
  const connection = { filename, options: { readonly: true } };
  return knex({ client: 'better-sqlite3', log: QUIET, connection, useNullAsDefault: true });
}

function sqlite(home: string): Knex.Config {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return {
    client: 'better-sqlite3',
    log: QUIET,
    connection: { filename: join(home, 'state.sqlite') },
    useNullAsDefault: true,
    pool: { min: 1, max: 1, afterCreate: prepare },
    migrations: { directory: MIGRATIONS, loadExtensions: ['.ts'] },
  };
}

function postgres(url: string): Knex.Config {
  return {
    client: 'pg',
    log: QUIET,
    connection: { connectionString: url, application_name: 'deployer' },
    // One connection, as with SQLite: transactions of this daemon come one after the other, and the claim is its.
    pool: { min: 1, max: 1, afterCreate: claim },
    migrations: { directory: MIGRATIONS, loadExtensions: ['.ts'] },
  };
}

interface PostgresConnection {
  query(
    text: string,
    done: (error: Error | null, result: { rows: { claimed: boolean }[] } | undefined) => void,
  ): void;
}

/** A store serves one daemon at a time: PostgreSQL lets go of the claim when the connection ends, however it does. */
function claim(
  connection: PostgresConnection,
  done: (error: Error | null, connection: PostgresConnection) => void,
): void {
  connection.query(`SELECT pg_try_advisory_lock(${CLAIM}) AS claimed`, (error, result) => {
    const taken = result?.rows[0]?.claimed ? null : new Error('another deployer works on this database');
    done(error ?? taken, connection);
  });
}

interface Connection {
  pragma(text: string): unknown;
}

/** What is acknowledged (a delivery, a transition) must survive a power cut, hence FULL. */
function prepare(connection: Connection, done: (error: Error | null, connection: Connection) => void): void {
  for (const pragma of [
    'journal_mode = WAL',
    'synchronous = FULL',
    'foreign_keys = ON',
    'busy_timeout = 5000',
  ]) {
    connection.pragma(pragma);
  }
  done(null, connection);
}
