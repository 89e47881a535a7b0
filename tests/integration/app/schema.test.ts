import Database from 'better-sqlite3';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freshData, migrateTo } from './site.ts';

const migrations = path.resolve(import.meta.dirname, '../../../migrations/datatracker');
const names = readdirSync(migrations)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

const EXEMPT = [
  'sessions',
  'counters',
  'rate_counters',
  'cache_versions',
  'audit_log',
  'audit_context',
  'outbox',
];

function schemaOf(file: string): string[] {
  const database = new Database(file, { readonly: true });
  const rows = database
    .prepare<[], string>(
      "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1",
    )
    .pluck()
    .all();
  database.close();
  return rows;
}

describe('the migrations', () => {
  it('can each be taken back exactly, and done again', async () => {
    const { file, remove } = await freshData();
    const newest = schemaOf(file);
    const differences: string[] = [];
    for (const name of names.toReversed()) {
      const applied = schemaOf(file);
      await migrateTo(file, ['down']);
      const before = schemaOf(file);
      await migrateTo(file, ['up', '--to', name]);
      if (!isDeepStrictEqual(schemaOf(file), applied)) differences.push(`up again: ${name}`);
      await migrateTo(file, ['down']);
      if (!isDeepStrictEqual(schemaOf(file), before)) differences.push(`down again: ${name}`);
    }
    expect(differences).toEqual([]);
    expect(schemaOf(file).filter((line) => !/knex|sqlite_sequence/.test(line))).toEqual([]);
    await migrateTo(file, ['up']);
    expect(schemaOf(file)).toEqual(newest);
    remove();
  });

  it('leave every domain table audited for insert, update, delete and replace', async () => {
    const { file, remove } = await freshData();
    const database = new Database(file, { readonly: true });
    const tables = database
      .prepare<[], string>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'knex_%' AND name NOT LIKE 'documents_fts%'",
      )
      .pluck()
      .all();
    const triggers = new Set(
      database.prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck().all(),
    );
    database.close();
    const audited = tables.filter((table) => !EXEMPT.includes(table));
    expect(audited).toHaveLength(20);
    const missing = audited.flatMap((table) =>
      ['insert', 'update', 'delete', 'replace']
        .map((action) => `audit_${table}_${action}`)
        .filter((name) => !triggers.has(name)),
    );
    expect(missing).toEqual([]);
    remove();
  });

  it('hold one row of who writes, and no more', async () => {
    const { file, remove } = await freshData();
    const database = new Database(file);
    expect(() => database.prepare('INSERT INTO audit_context (id) VALUES (2)').run()).toThrow(/one_row/);
    expect(database.prepare('SELECT * FROM audit_context').all()).toEqual([
      { id: 1, actor_id: null, deployment_id: null, request_id: null },
    ]);
    database.close();
    remove();
  });
});
