import { copyFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { FIRST_MIGRATION, Repository, type SampleMigration } from '../kit/repository.ts';
import type { Registry } from './registry.ts';

const APPLICATION = fileURLToPath(new URL('app', import.meta.url));
/** The sample's program runs any migrations of the form that the kit describes. */
const MIGRATE = fileURLToPath(new URL('../kit/sample/migrate.mjs', import.meta.url));

/**
 * What a push changes. `migration`: a column more, with which the earlier release lives on; `breaking`: the table gets
 * another name, so that the earlier release needs the migration taken back; `lockfile`: one small package is newer.
 */
export type Kind = 'code' | 'migration' | 'breaking' | 'lockfile';

const TABLES = ['notes', 'remarks'] as const;

/** The small application in a work tree of its own, and how it goes on: each push has a version that the home page tells. */
export class Application {
  readonly repository: Repository;
  /** Of the newest commit. */
  version = 'v0';
  commit = '';
  /** Names of the migrations, oldest first. */
  migrations: string[] = [];
  readonly #registry: Registry;
  #count = 0;
  #marker = 0;
  #table = 0;

  private constructor(repository: Repository, registry: Registry) {
    this.repository = repository;
    this.#registry = registry;
  }

  /** With its first commit made, but not pushed; `files` are added to it. */
  static async create(options: {
    directory: string;
    origin: string;
    registry: Registry;
    files?: Record<string, string>;
  }): Promise<Application> {
    const { directory, origin, registry, files = {} } = options;
    const application = new Application(await Repository.create(directory, origin), registry);
    await cp(APPLICATION, directory, { recursive: true });
    await copyFile(MIGRATE, join(directory, 'migrate.mjs'));
    application.commit = await application.repository.commit('The small application', {
      ...(await registry.manifests(0)),
      ...application.#migration('notes', FIRST_MIGRATION),
      ...application.#release(),
      ...files,
    });
    return application;
  }

  /** Commits the next version; it is not pushed. */
  async change(kind: Kind): Promise<void> {
    this.#count += 1;
    const before = TABLES[this.#table] ?? TABLES[0];
    if (kind === 'breaking') this.#table = 1 - this.#table;
    const after = TABLES[this.#table] ?? TABLES[0];
    const more = {
      code: () => Promise.resolve({}),
      lockfile: () => this.#registry.manifests((this.#marker += 1)),
      migration: () => Promise.resolve(this.#migration('column', column(before, `c${this.#count}`))),
      breaking: () => Promise.resolve(this.#migration('rename', rename(before, after))),
    }[kind];
    this.commit = await this.repository.commit(`A change: ${kind}`, {
      ...(await more()),
      ...this.#release(),
    });
  }

  #release(): Record<string, string> {
    this.version = `v${this.#count}`;
    return { 'version.json': JSON.stringify({ version: this.version, table: TABLES[this.#table] }) };
  }

  #migration(name: string, migration: SampleMigration): Record<string, string> {
    const full = `${String(this.migrations.length + 1).padStart(5, '0')}_${name}`;
    this.migrations.push(full);
    return { [`migrations/${full}.json`]: JSON.stringify(migration) };
  }
}

function column(table: string, name: string): SampleMigration {
  return {
    up: [`ALTER TABLE ${table} ADD COLUMN ${name} TEXT NOT NULL DEFAULT ''`],
    down: [`ALTER TABLE ${table} DROP COLUMN ${name}`],
    touches: [table],
  };
}

function rename(from: string, to: string): SampleMigration {
  return {
    up: [`ALTER TABLE ${from} RENAME TO ${to}`],
    down: [`ALTER TABLE ${to} RENAME TO ${from}`],
    touches: [from, to],
  };
}

/** The environment's file for the deployer, with verification, verified backup and rehearsal. */
export function environmentFile(port: number): string {
  return stringify({
    name: 'dev',
    branch: 'dev',
    listen: `127.0.0.1:${port}`,
    commands: {
      install: 'npm ci --omit=dev',
      start: 'node server.mjs',
      migrate: 'node migrate.mjs',
      verify: 'node verify.mjs',
    },
    database: { client: 'better-sqlite3', file: 'notes.db' },
    verify: { suites: ['service', 'routes', 'database'] },
    migrations: { 'require-reversible': true },
    cutover: { hold: '30s', settle: '1s' },
    revert: 'off',
    backups: { 'before-deploy': true },
  });
}
