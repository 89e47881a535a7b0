import type { Connection } from '../../../backups/sqlite/open.ts';
import { listColumns } from '../../../backups/sqlite/tables.ts';
import type { Difference } from '../types.ts';
import { schemaObjects, type SchemaObject } from './schema.ts';

/** Tables, columns, indexes, triggers and views that are not the same in the schemas `main` and `after`. */
export function compareSchemas(database: Connection, allowed: (table: string) => boolean): Difference[] {
  const before = objectsByName(database, 'main', allowed);
  const after = objectsByName(database, 'after', allowed);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => compareObjects(database, before.get(key), after.get(key)));
}

function objectsByName(database: Connection, schema: string, allowed: (table: string) => boolean) {
  const counted = schemaObjects(database, schema).filter(
    ({ name, table }) => !allowed(table) && !allowed(name),
  );
  return new Map(counted.map((object) => [`${object.type} ${object.name}`, object]));
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
  if (before === undefined) return [{ table: object.table, sentence: `${what} was added` }];
  if (after === undefined) return [{ table: object.table, sentence: `${what} was dropped` }];
  const columns = object.type === 'table' ? columnChanges(database, object.name) : '';
  return [{ table: object.table, sentence: `${what} is defined differently${columns}` }];
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
