import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { root } from '../locate.ts';

/** A table, index, trigger or view, and the statement that makes it. */
export interface SchemaObject {
  type: string;
  name: string;
  sql: string;
}

const directory = path.join(root, 'migrations/datatracker');

/** The names of the tree's migrations, oldest first. */
export function migrationsOfTree(): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  return files.map((file) => path.basename(file, '.ts')).sort();
}

/** Whether the database was migrated by a release after this one: what this tree makes must be there, and may be more. */
export function isNewer(applied: string[]): boolean {
  return ([...applied].sort().at(-1) ?? '') > (migrationsOfTree().at(-1) ?? '');
}

/** Without what may differ between equal statements: the white space. */
export function normalise({ type, name, sql }: SchemaObject): SchemaObject {
  return {
    type,
    name,
    sql: sql
      .replace(/\s+/g, ' ')
      .replace(/ ?([(),]) ?/g, '$1')
      .trim(),
  };
}

/**
 * The schema that the tree's own migrations make in an empty database. It is made once for the same
 * migrations and kept beside the compiled code: whoever can write there can also change what we run.
 */
export async function schemaOfMigrations(
  read: (database: Database.Database) => SchemaObject[],
): Promise<SchemaObject[]> {
  const cache = getCompileCacheDir();
  const file = cache === undefined ? null : path.join(cache, `schema-${fingerprint()}.json`);
  const known = file === null ? null : readKept(file);
  if (known !== null) return known;
  const made = await migrateScratch(read);
  if (file !== null) keep(file, made);
  return made;
}

/** Of everything that decides what the migrations make. */
function fingerprint(): string {
  const hash = createHash('sha256').update(process.version);
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts')) hash.update(`\0${file}\0`).update(readFileSync(path.join(directory, file)));
  }
  return hash.digest('hex');
}

function readKept(file: string): SchemaObject[] | null {
  try {
    const kept: SchemaObject[] = JSON.parse(readFileSync(file, 'utf8'));
    return kept;
  } catch {
    return null; // not made yet, or cut off: made again
  }
}

function keep(file: string, schema: SchemaObject[]): void {
  try {
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(schema));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // a cache that cannot be written costs time, nothing else
  }
}

async function migrateScratch(
  read: (database: Database.Database) => SchemaObject[],
): Promise<SchemaObject[]> {
  const home = mkdtempSync(path.join(tmpdir(), 'verify-'));
  const file = path.join(home, 'scratch.db');
  try {
    const program = path.join(root, 'migrations/run.ts');
    const { DATABASE_URL: _, ...env } = process.env;
    await promisify(execFile)(process.execPath, [program, 'up', '--json'], {
      env: { ...env, DATABASE_FILE: file },
      timeout: 60_000,
    });
    const database = new Database(file, { readonly: true });
    try {
      return read(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
