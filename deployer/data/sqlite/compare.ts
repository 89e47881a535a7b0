import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { comparableTables, isExempt, listTables } from '../../../backups/sqlite/tables.ts';
import type { Difference } from '../types.ts';
import { auditedBy } from './audit.ts';
import { sameRows, withBoth } from './both.ts';
import { compareSchemas } from './compare-schema.ts';
import { countChanges, firstChanges, joinedTable, type ChangeCounts, type JoinedTable } from './join.ts';

/**
 * Attaches two states of a database and says in which tables, rows, columns, indexes, triggers, views and
 * sequences they differ; nothing when they are equal. Reads each in one state, live or not.
 * @param except tables that may differ, with all that belongs to them
 */
export function compareDatabases(before: string, after: string, except: ReadonlySet<string>): Difference[] {
  return withBoth(before, after, (database) => {
    const allowed = (table: string) => isExempt(table) || except.has(table);
    const kept = comparableTables(database, 'after').filter(({ name }) => !allowed(name));
    const earlier = new Set(listTables(database, 'main').map(({ name }) => name));
    return [
      ...compareSchemas(database, allowed),
      ...kept.filter(({ name }) => earlier.has(name)).flatMap(({ name }) => compareRows(database, name)),
      ...compareSequences(database, allowed),
    ];
  });
}

function compareRows(database: Connection, name: string): Difference[] {
  const table = joinedTable(database, name);
  const counts = countChanges(database, table);
  if (counts.inserted + counts.updated + counts.deleted === 0) return [];
  if (table.key === null && sameRows(database, name)) return [];
  return [{ table: name, sentence: `${name}: ${rowsSentence(counts)} ${examples(database, table)}` }];
}

function rowsSentence({ inserted, updated, deleted }: ChangeCounts): string {
  const parts = [
    { count: inserted, verb: 'added' },
    { count: updated, verb: 'changed' },
    { count: deleted, verb: 'removed' },
  ].filter(({ count }) => count > 0);
  return parts.map(({ count, verb }) => `${count} ${count === 1 ? 'row' : 'rows'} ${verb}`).join(', ');
}

/** `(key 7 changed, written by …; key 9 added)`: at most three rows, and who wrote them where that is known. */
function examples(database: Connection, table: JoinedTable): string {
  const rows = firstChanges(database, table, 3).map(({ action, keyText }) => {
    const writer = auditedBy(database, table.name, keyText);
    return `${table.key === null ? 'rowid' : 'key'} ${keyText} ${VERBS[action]}${writer === null ? '' : `, ${writer}`}`;
  });
  return `(${rows.join('; ')})`;
}

const VERBS = { insert: 'added', update: 'changed', delete: 'removed' } as const;

function compareSequences(database: Connection, allowed: (table: string) => boolean): Difference[] {
  const [before, after] = ['main', 'after'].map((schema) => sequences(database, schema));
  const names = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].sort();
  return names
    .filter((name) => !allowed(name) && before?.get(name) !== after?.get(name))
    .map((name) => ({
      table: name,
      sentence: `${name}: its sequence went from ${before?.get(name) ?? 'none'} to ${after?.get(name) ?? 'none'}`,
    }));
}

/** The last key that AUTOINCREMENT gave, by table. A row may be missing there or hold anything: it is not protected. */
function sequences(database: Connection, schema: string): Map<string, string> {
  const quoted = quoteName(schema);
  const present = database
    .prepare(`SELECT 1 FROM ${quoted}.sqlite_schema WHERE name = 'sqlite_sequence'`)
    .get();
  if (present === undefined) return new Map();
  const rows = database.prepare<[], [string, string]>(
    `SELECT CAST(name AS TEXT), group_concat(quote(seq)) FROM ${quoted}.sqlite_sequence GROUP BY 1`,
  );
  return new Map(rows.raw(true).all());
}
