import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { comparableTables, isExempt, listTables } from '../../../backups/sqlite/tables.ts';
import type { Difference } from '../types.ts';
import { auditedBy } from './audit.ts';
import { sameRows, withAfter, withBoth } from './both.ts';
import { compareSchemas } from './compare-schema.ts';
import { untouchedTables } from './written.ts';
import {
  ACTIONS,
  countChanges,
  firstKeys,
  joinedTable,
  type ChangeCounts,
  type JoinedTable,
} from './join.ts';

/**
 * Attaches two states of a database and says in which tables, rows, columns, indexes, triggers, views and
 * sequences they differ; nothing when they are equal. Reads each in one state, live or not.
 * @param except tables that may differ, with all that belongs to them
 */
export function compareDatabases(before: string, after: string, except: ReadonlySet<string>): Difference[] {
  return withBoth(before, after, (database) => differences(database, except));
}

/** The same for the earlier state that a connection keeps, of the same database where `isSame`. */
export function compareWith(
  before: Connection,
  after: { file: string; isSame: boolean },
  except: ReadonlySet<string>,
): Difference[] {
  return withAfter(before, after.file, (database) =>
    differences(database, except, after.isSame ? () => untouchedTables(database, after.file) : undefined),
  );
}

/** @param untouched gives what knows tables without a difference by less than reading them; asked once `after` is in a state */
function differences(
  database: Connection,
  except: ReadonlySet<string>,
  untouched: () => (table: string) => boolean = () => () => false,
): Difference[] {
  const allowed = (table: string) => isExempt(table) || except.has(table);
  const kept = comparableTables(database, 'after').filter(({ name }) => !allowed(name));
  const earlier = new Set(listTables(database, 'main').map(({ name }) => name));
  const isUntouched = untouched();
  const suspects = kept.filter(({ name }) => earlier.has(name) && !isUntouched(name));
  return [
    ...compareSchemas(database, except),
    ...suspects.flatMap(({ name }) => compareRows(database, name)),
    ...compareSequences(database, allowed),
  ];
}

function compareRows(database: Connection, name: string): Difference[] {
  const table = joinedTable(database, name);
  const counts = countChanges(database, table);
  if (counts.insert + counts.update + counts.delete === 0) return [];
  if (table.key === null && sameRows(database, name)) return [];
  return [{ table: name, kind: 'rows', sentence: `${name}: ${rowsSentence(database, table, counts)}` }];
}

/** `1 row added (key 9), 7 rows changed (keys 1, 2, 3, …), written by …`: some of them, and who wrote these where that is known. */
function rowsSentence(database: Connection, table: JoinedTable, counts: ChangeCounts): string {
  const writers = new Set<string>();
  const parts = ACTIONS.filter((action) => counts[action] > 0).map((action) => {
    const count = counts[action];
    const keys = firstKeys(database, table, action, MOST_KEYS);
    for (const key of keys) writers.add(auditedBy(database, table.name, key) ?? '');
    const named = `${table.key === null ? 'rowid' : 'key'}${count === 1 ? '' : 's'}`;
    const more = count > keys.length ? ', …' : '';
    return `${count} ${count === 1 ? 'row' : 'rows'} ${VERBS[action]} (${named} ${keys.join(', ')}${more})`;
  });
  writers.delete('');
  return [parts.join(', '), ...writers].join(', ');
}

/** Keys of a table that are named for each thing that was done to it. */
const MOST_KEYS = 3;

const VERBS = { insert: 'added', update: 'changed', delete: 'removed' } as const;

function compareSequences(database: Connection, allowed: (table: string) => boolean): Difference[] {
  const [before, after] = ['main', 'after'].map((schema) => sequences(database, schema));
  const names = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].sort();
  return names
    .filter((name) => !allowed(name) && before?.get(name) !== after?.get(name))
    .map((name) => ({
      table: name,
      kind: 'sequence',
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
