import { z } from 'zod';
import type { Connection } from '../../../backups/sqlite/open.ts';
import { quoteName } from '../../../backups/sqlite/open.ts';
import { listTables } from '../../../backups/sqlite/tables.ts';

const objectRow = z.object({
  type: z.enum(['table', 'index', 'view', 'trigger']),
  name: z.string(),
  /** The table or view that it belongs to. */
  table: z.string(),
  sql: z.string().nullable(),
});

/** A table, index, view or trigger, with its normalised definition. */
export interface SchemaObject {
  type: 'table' | 'index' | 'view' | 'trigger';
  name: string;
  table: string;
  definition: string;
}

/**
 * What a schema consists of, sorted by type and name. Left out: what SQLite keeps for itself, the shadow tables of
 * virtual tables, and the indexes that a table's own definition implies.
 */
export function schemaObjects(database: Connection, schema = 'main'): SchemaObject[] {
  const rows = database
    .prepare(
      `SELECT type, name, tbl_name AS "table", sql FROM ${quoteName(schema)}.sqlite_schema
       WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`,
    )
    .all();
  const ordinary = new Set(listTables(database, schema).map(({ name }) => name));
  return z
    .array(objectRow)
    .parse(rows)
    .map(({ sql, ...row }) => ({ ...row, definition: normalise(sql ?? '') }))
    .filter(({ type, name, definition }) => type !== 'table' || ordinary.has(name) || isVirtual(definition));
}

/** The schema as text to compare: one object a line. */
export const schemaText = (database: Connection): string =>
  schemaObjects(database)
    .map(({ type, name, definition }) => `${type} ${name}: ${definition}`)
    .join('\n');

const isVirtual = (definition: string) => /^CREATE VIRTUAL TABLE/i.test(definition);

/** String literals and quoted names stay as they are; comments go; white space counts only between words. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\s+|[\s\S]/g;

/**
 * A definition without what does not matter: layout, comments, and the quotes around plain names, which
 * `ALTER TABLE … RENAME` adds.
 */
export function normalise(sql: string): string {
  const text = Array.from(sql.matchAll(TOKENS), ([token]) => normaliseToken(token)).join('');
  return text
    .split(/('(?:[^']|'')*')/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/ *([(),=]) */g, '$1').replace(/ +/g, ' ')))
    .join('')
    .trim();
}

function normaliseToken(token: string): string {
  if (/^(?:--|\/\*|\s)/.test(token)) return ' ';
  const [, plain] = /^["`[]([A-Za-z_][A-Za-z0-9_]*)["`\]]$/.exec(token) ?? [];
  return plain ?? token;
}
