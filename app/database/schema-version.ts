import { readdirSync } from 'node:fs';
import type { Knex } from 'knex';

const DIRECTORY = new URL('../../migrations/datatracker/', import.meta.url);

/** The newest migration that this release ships; a name is the file's without `.ts`. */
export function newestShipped(directory: URL = DIRECTORY): string | null {
  const names = readdirSync(directory).filter((file) => /^\d+_.+\.ts$/.test(file));
  return names.sort().at(-1)?.replace(/\.ts$/, '') ?? null;
}

/** @throws when the database does not answer or was never migrated */
export async function appliedMigrations(read: Knex): Promise<string[]> {
  const rows = await read('knex_migrations').select<{ name: string }[]>('name').orderBy('name');
  return rows.map(({ name }) => name);
}
