import { existsSync } from 'node:fs';
import type { Target } from './arguments.ts';

const NAMES = 'select name from knex_migrations';

/**
 * The names that the database has as applied, oldest first. Reads only: a database that does not
 * exist yet has none and is not created, and Knex (slow to load) is not needed.
 */
export async function readApplied(target: Target): Promise<string[]> {
  const names = target.client === 'pg' ? await fromPostgres(target.url) : await fromSqlite(target.file);
  return names.sort();
}

async function fromSqlite(file: string): Promise<string[]> {
  if (!existsSync(file)) return [];
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(file, { readonly: true });
  try {
    const table = database.prepare(
      "select 1 from sqlite_master where type = 'table' and name = 'knex_migrations'",
    );
    return table.get() === undefined ? [] : database.prepare<[], string>(NAMES).pluck().all();
  } finally {
    database.close();
  }
}

async function fromPostgres(url: string): Promise<string[]> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query('set default_transaction_read_only = on');
    const table = await client.query<{ oid: string | null }>("select to_regclass('knex_migrations') as oid");
    if (table.rows[0]?.oid == null) return [];
    const { rows } = await client.query<{ name: string }>(NAMES);
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}
