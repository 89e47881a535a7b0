import type { Check } from '../report.ts';
import type { TableDigest } from '../digest.ts';
import { UsageError } from '../arguments.ts';

/** What holds a table's rows together. Columns of one key are joined by a comma: `doc_id,rev`. */
export interface TableKeys {
  /** Primary keys over text or several columns included. */
  unique: string[];
  /** `parent_id,doc_id>comments` */
  foreign: string[];
  /** The conditions of CHECK constraints, as text. */
  checks: string;
}

/** The database of the instance, never written to. One implementation for each database client. */
export interface Reader {
  all<Row extends object>(sql: string): Promise<Row[]>;
  /** The ordinary tables, without views and without what the database keeps for itself. */
  tables(): Promise<string[]>;
  keys(table: string): Promise<TableKeys>;
  digest(table: string): Promise<TableDigest>;
  /** Whether the database is whole, and is the one that the tree's migrations make; `newer`: or later ones. */
  soundness(newer: boolean): Promise<Check[]>;
  close(): Promise<void>;
}

export type Target = { client: 'sqlite'; file: string } | { client: 'postgres'; url: string };

/** @throws {UsageError} unless exactly one of the two variables is set */
export function parseTarget({ DATABASE_FILE: file, DATABASE_URL: url }: NodeJS.ProcessEnv): Target {
  if (file && url) throw new UsageError('both DATABASE_FILE and DATABASE_URL are set; set one');
  if (file) return { client: 'sqlite', file };
  if (url) return { client: 'postgres', url };
  throw new UsageError('neither DATABASE_FILE nor DATABASE_URL is set');
}

export async function openReader(target: Target): Promise<Reader> {
  if (target.client === 'sqlite') return (await import('./sqlite.ts')).openSqlite(target.file);
  return (await import('./postgres.ts')).openPostgres(target.url);
}
