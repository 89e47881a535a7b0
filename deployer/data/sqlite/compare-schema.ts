import type { Connection } from '../../../backups/sqlite/open.ts';
import { isExempt, listColumns } from '../../../backups/sqlite/tables.ts';
import type { Difference } from '../types.ts';
import { schemaObjects, type SchemaObject } from './schema.ts';

/**
 * Tables, columns, indexes, triggers and views that are not the same in the schemas `main` and `after`.
 * @param except tables that may differ, with all that belongs to them, and what others say of them
 */
export function compareSchemas(database: Connection, except: ReadonlySet<string>): Difference[] {
  const before = objectsByName(database, 'main', except);
  const after = objectsByName(database, 'after', except);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => compareObjects(database, before.get(key), after.get(key)));
}

function objectsByName(database: Connection, schema: string, except: ReadonlySet<string>) {
  const allowed = (name: string) => isExempt(name) || except.has(name);
  const renamed = withoutNames(except);
  const counted = schemaObjects(database, schema)
    .filter(({ name, table }) => !allowed(table) && !allowed(name))
    .map((object) => ({ ...object, definition: renamed(object.definition) }));
  return new Map(counted.map((object) => [`${object.type} ${object.name}`, object]));
}

/** Where a table is renamed, SQLite writes its new name into whatever refers to it. */
function withoutNames(names: ReadonlySet<string>): (definition: string) => string {
  if (names.size === 0) return (definition) => definition;
  const plain = Array.from(names, (name) => RegExp.escape(name)).join('|');
  const named = new RegExp(`(?<!\\w)["\`[]?(?:${plain})["\`\\]]?(?!\\w)`, 'gi');
  return (definition) => definition.replace(named, '?');
}

function compareObjects(
  database: Connection,
  before: SchemaObject | undefined,
  after: SchemaObject | undefined,
): Difference[] {
  if (before?.definition === after?.definition) return [];
  const object = after ?? before;
  if (object === undefined) return [];
  const what = `${object.table}: the ${object.type} ${object.name}`;
  const { table, type: kind } = object;
  if (before === undefined) return [{ table, kind, sentence: `${what} was added` }];
  if (after === undefined) return [{ table, kind, sentence: `${what} was dropped` }];
  const columns = object.type === 'table' ? columnChanges(database, object.name) : '';
  return [{ table, kind, sentence: `${what} is defined differently${columns}` }];
}

function columnChanges(database: Connection, table: string): string {
  const [before, after] = ['main', 'after'].map((schema) =>
    listColumns(database, table, schema).map(({ name }) => name),
  );
  const added = (after ?? []).filter((name) => !before?.includes(name)).map((name) => `column ${name} added`);
  const dropped = (before ?? [])
    .filter((name) => !after?.includes(name))
    .map((name) => `column ${name} dropped`);
  const changes = [...added, ...dropped];
  return changes.length === 0 ? '' : `: ${changes.join(', ')}`;
}
