import { z } from 'zod';
import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';

/** A row for a table that has none to be doubled, made up from what the table says of its columns. */

const columns = z.array(
  z.object({
    name: z.string(),
    type: z.string().transform((type) => type.toUpperCase()),
    required: z.number().transform(Boolean),
    pk: z.number(),
  }),
);
const references = z.array(z.object({ column: z.string(), parent: z.string(), to: z.string() }));

type Column = z.output<typeof columns>[number];

/**
 * Writes one. A table that it refers to and that is empty is given a row, too: migrations look whether references hold.
 * @param making tables that wait for this one to have a row
 */
export function makeRow(
  database: Connection,
  table: string,
  making: ReadonlySet<string> = new Set(),
): boolean {
  const parents = parentsOf(database, table);
  for (const { parent } of parents.values())
    if (parent !== table && !making.has(parent) && isEmpty(database, parent))
      makeRow(database, parent, new Set([...making, table]));
  const given = columnsOf(database, table);
  // Where the made-up values do not go together, as few of them as there have to be.
  return [given, given.filter(({ required, pk }) => required || pk > 0)].some((some) =>
    insert(
      database,
      table,
      some.map((column) => [
        column.name,
        parents.get(column.name)?.value ?? valueOf(database, table, column),
      ]),
    ),
  );
}

function insert(database: Connection, table: string, values: [name: string, sql: string][]): boolean {
  const names = values.map(([name]) => quoteName(name)).join(', ');
  const what =
    values.length > 0 ? `(${names}) VALUES (${values.map(([, sql]) => sql).join(', ')})` : 'DEFAULT VALUES';
  try {
    return database.prepare(`INSERT INTO ${quoteName(table)} ${what}`).run().changes === 1;
  } catch {
    // A constraint or a trigger refuses it.
    return false;
  }
}

/** Those that get no value by themselves: by a default, by being generated, or as the number of the row. */
function columnsOf(database: Connection, table: string): Column[] {
  const rows = database
    .prepare(
      `SELECT name, type, "notnull" AS required, pk FROM pragma_table_xinfo(?)
       WHERE hidden = 0 AND dflt_value IS NULL ORDER BY cid`,
    )
    .all(table);
  const found = columns.parse(rows);
  const [key, ...more] = found.filter(({ pk }) => pk > 0);
  const given = more.length === 0 && key?.type === 'INTEGER' ? key.name : null;
  return found.filter(({ name }) => name !== given);
}

/** By column: the table that it refers to, and the SQL of a value that is there. */
function parentsOf(database: Connection, table: string): Map<string, { parent: string; value: string }> {
  const rows = database
    .prepare(
      `SELECT list."from" AS column, list."table" AS parent, coalesce(list."to", info.name) AS "to"
       FROM pragma_foreign_key_list(?) AS list
       LEFT JOIN pragma_table_info(list."table") AS info ON list."to" IS NULL AND info.pk = list.seq + 1
       WHERE coalesce(list."to", info.name) IS NOT NULL`,
    )
    .all(table);
  return new Map(
    references.parse(rows).map(({ column, parent, to }) => [
      column,
      // The first row of all: the parts of a composite key belong together.
      { parent, value: `(SELECT ${quoteName(to)} FROM ${quoteName(parent)} LIMIT 1)` },
    ]),
  );
}

function isEmpty(database: Connection, table: string): boolean {
  try {
    return database.prepare(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`).get() === undefined;
  } catch {
    // A reference to a table that is not there.
    return false;
  }
}

/** SQL of a value by the declared type; a random one, since it may have to be unique. */
function valueOf(database: Connection, table: string, { name, type }: Column): string {
  const listed = listedFor(definitionOf(database, table), name);
  if (listed !== null) return listed;
  return VALUES.find(([pattern]) => pattern.test(type))?.[1] ?? TEXT;
}

const TEXT = `'rehearsal-' || lower(hex(randomblob(4)))`;
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/BOOL/, '1'],
  [/INT/, 'abs(random() % 1000000007) + 1'],
  [/DATE|TIME/, `strftime('%Y-%m-%dT%H:%M:%fZ')`],
  [/BLOB/, 'randomblob(16)'],
  [/REAL|FLOA|DOUB|NUM|DEC/, '1'],
];

/** The first of the values that a check allows: `state IN ('draft', …)`. */
function listedFor(definition: string, column: string): string | null {
  const name = column.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const list = new RegExp(String.raw`(?<!\w)${name}["'\`\]]?\s+IN\s*\(\s*('(?:[^']|'')*'|-?\d+)`, 'i');
  return list.exec(definition)?.[1] ?? null;
}

const definition = z.object({ sql: z.string() });

const definitionOf = (database: Connection, table: string): string =>
  definition.parse(
    database.prepare(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(table),
  ).sql;
