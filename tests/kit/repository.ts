import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';

const run = promisify(execFile);
const SAMPLE = fileURLToPath(new URL('sample', import.meta.url));

/** A work tree whose commits are pushed to a bare repository, as a developer's would be. */
export class Repository {
  readonly directory: string;
  readonly origin: string;

  constructor(directory: string, origin: string) {
    this.directory = directory;
    this.origin = origin;
  }

  static async create(directory: string, origin: string): Promise<Repository> {
    await run('git', ['init', '-q', '--bare', '-b', 'main', origin]);
    return Repository.clone(directory, origin);
  }

  /** A work tree for a repository that is there and empty; its branch is dev. */
  static async clone(directory: string, origin: string): Promise<Repository> {
    const repository = new Repository(directory, origin);
    await mkdir(directory, { recursive: true });
    await run('git', ['init', '-q', '-b', 'dev', directory]);
    await repository.git('config', 'user.name', 'A Developer');
    await repository.git('config', 'user.email', 'developer@example.org');
    return repository;
  }

  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['-C', this.directory, ...args]);
    return stdout.trim();
  }

  /** Writes files (null removes one), commits, and returns the commit. */
  async commit(message: string, files: Record<string, string | null>): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.directory, path);
      if (content === null) await rm(file, { recursive: true });
      else {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    }
    await this.git('add', '-A');
    await this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  async push(...refspecs: string[]): Promise<void> {
    await this.git('push', '-q', '--force', this.origin, ...refspecs);
  }
}

export interface Behaviour {
  version: string;
  start?: 'crash' | 'end' | 'write' | 'tell';
  /** Run on the database at the start. */
  startSql?: string;
  /** Run on the database at the start of what is to be live, and not in a rehearsal. */
  slotSql?: string;
  health?: number | 'hang';
  /** Does not end by SIGTERM. */
  deaf?: boolean;
  /** Healthy while it is verified, and no longer once it is live; or only every other time that it is asked. */
  sickLive?: true | 'at times';
  /** Milliseconds between two writes that no request causes. */
  background?: number;
  home?: number;
  /** The status of the start page once it is live. */
  homeLive?: number;
  /** Ends when `/crash-later` is asked for. */
  crashLater?: boolean;
  /** Ends by an error once it is live. */
  throwLive?: boolean;
  /** Writes without a request once it is live; by another program, which names no deployment, while the clock is wrong. */
  rogue?: true | 'nameless';
  /** Knows no `PUT /_deploy/mode`; its job begins, and its health fails, with the first write that it is given. */
  noMode?: boolean;
  /** The variable whose value the start page shows. */
  tells?: string;
  /** The table that holds the notes. */
  table?: string;
}

export interface SampleMigration {
  up: string[];
  down: string[] | null;
  touches: string[];
}

export const FIRST_MIGRATION: SampleMigration = {
  up: ['CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)'],
  down: ['DROP TABLE notes'],
  touches: ['notes'],
};

/** Lays the sample application with environments dev and prod into the work tree. */
export async function sampleFiles(
  repository: Repository,
  ports: { dev: number; prod: number },
  more: object = {},
): Promise<void> {
  await cp(SAMPLE, repository.directory, { recursive: true });
  const environment = (name: string, branch: string, port: number, own: object) =>
    stringify({
      name,
      branch,
      listen: `127.0.0.1:${port}`,
      commands: {
        start: 'node server.mjs',
        migrate: 'node migrate.mjs',
        verify: 'node verify.mjs',
      },
      database: {
        client: 'better-sqlite3',
        file: 'notes.db',
      },
      boot: { timeout: '30s' },
      cutover: {
        hold: '20s',
        settle: '0s',
      },
      ...own,
      ...more,
    });
  await repository.commit('A small application', {
    'environments/dev.yaml': environment('dev', 'dev', ports.dev, { revert: 'off' }),
    'environments/prod.yaml': environment('prod', 'main', ports.prod, {
      requires: 'dev',
      backups: { 'before-deploy': true },
    }),
    'behaviour.json': behaviour({ version: 'one' }),
    'migrations/001_notes.json': JSON.stringify(FIRST_MIGRATION),
  });
}

export const behaviour = (wanted: Behaviour) => JSON.stringify(wanted);
