import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import { MigrationError } from './failure.ts';

/** One migration file, loaded. */
export interface Migration {
  name: string;
  touches: string[];
  up: (knex: Knex) => Promise<unknown>;
  /** Null: it cannot be taken back. */
  down: ((knex: Knex) => Promise<unknown>) | null;
}

/** The names of all migrations of a directory, oldest first. A name is the file's without `.ts`. */
export async function listMigrations(directory: string): Promise<string[]> {
  const files = await readdir(directory);
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => path.basename(file, '.ts'))
    .sort();
}

/** @throws {MigrationError} when the file does not load or does not export what a migration must */
export async function loadMigration(directory: string, name: string): Promise<Migration> {
  const file = path.join(directory, `${name}.ts`);
  const { up, down, touches } = await importFile(file, name);
  if (!isStep(up)) throw new MigrationError(name, 'exports no function "up"', file);
  if (down !== undefined && !isStep(down)) throw new MigrationError(name, '"down" is not a function', file);
  if (!Array.isArray(touches) || !touches.every((table) => typeof table === 'string')) {
    throw new MigrationError(name, 'exports no "touches", the list of tables whose rows it may change', file);
  }
  return { name, touches, up, down: down ?? null };
}

async function importFile(file: string, name: string): Promise<Record<string, unknown>> {
  try {
    const module: Record<string, unknown> = await import(pathToFileURL(file).href);
    return module;
  } catch (error) {
    throw new MigrationError(name, `does not load: ${messageOf(error)}`, file, { cause: error });
  }
}

function isStep(value: unknown): value is (knex: Knex) => Promise<unknown> {
  return typeof value === 'function';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
