import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { main, type Report } from '../../migrations/main.ts';

/** A directory of migrations and a database file that does not exist yet; both go with the test. */
export function scene(migrations: Record<string, string>) {
  const home = mkdtempSync(path.join(tmpdir(), 'migrate-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const file = path.join(home, 'test.db');
  for (const [name, text] of Object.entries(migrations)) write(name, text);

  function write(name: string, text: string): void {
    writeFileSync(path.join(home, `${name}.ts`), text);
  }
  async function raw(words: string[], env: NodeJS.ProcessEnv = { DATABASE_FILE: file }) {
    let stdout = '';
    let stderr = '';
    const exitCode = await main([...words, '--directory', home], env, {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    });
    return { exitCode, stdout, stderr };
  }
  async function run(...words: string[]): Promise<Report & { exitCode: number }> {
    const { exitCode, stdout } = await raw([...words, '--json']);
    const report: Report = JSON.parse(stdout);
    return { ...report, exitCode };
  }
  return { home, file, write, raw, run, rows: (sql: string) => query(file, sql) };
}

function query(file: string, sql: string): unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** A migration that makes one table, with a way back. */
export function makes(table: string): string {
  return `export const touches = ['${table}'];
export async function up(knex) { await knex.schema.createTable('${table}', (t) => { t.increments('id'); t.string('name'); }); }
export async function down(knex) { await knex.schema.dropTable('${table}'); }
`;
}
