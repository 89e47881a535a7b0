import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { Value } from '../../../backups/digest.ts';
import { quoteName, type Connection } from '../../../backups/sqlite/open.ts';
import { comparableTables, listTables } from '../../../backups/sqlite/tables.ts';
import { sameRows, withBoth } from './both.ts';
import { ACTIONS, joinedTable, rowsOf, type Action } from './join.ts';

/**
 * Writes the rows in which `now` differs from `earlier` to a new file as JSON Lines, synced to disk; what is exempt
 * from comparison is left out. An integer beyond 2^53 and an infinite real are strings, a blob is `{"base64"}`.
 * @returns how many rows
 */
export function writeChanges(now: string, earlier: string, file: string): number {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    const count = withBoth(earlier, now, (database) => {
      let written = 0;
      for (const change of allChanges(database)) {
        writeSync(descriptor, `${JSON.stringify(change)}\n`);
        written++;
      }
      return written;
    });
    fsyncSync(descriptor);
    return count;
  } finally {
    closeSync(descriptor);
  }
}

interface Change {
  table: string;
  key: string | null;
  action: Action;
  row: Record<string, unknown>;
}

function* allChanges(database: Connection): Generator<Change> {
  const had = new Set(listTables(database, 'main').map(({ name }) => name));
  for (const { name } of comparableTables(database, 'after')) {
    if (had.has(name)) yield* changedRows(database, name);
    else yield* rows(database, name, 'insert', { select: 'NULL, *', source: `after.${quoteName(name)}` });
  }
}

function* changedRows(database: Connection, name: string): Generator<Change> {
  const table = joinedTable(database, name);
  if (table.key === null && sameRows(database, name)) return;
  for (const action of ACTIONS) {
    const { source, alias } = rowsOf(table, action);
    yield* rows(database, name, action, { select: `${table.keyText(alias)}, ${alias}.*`, source });
  }
}

/** `select` gives the key as text, then the row's columns. */
function* rows(
  database: Connection,
  table: string,
  action: Action,
  { select, source }: { select: string; source: string },
): Generator<Change> {
  const statement = database
    .prepare<[], Value[]>(`SELECT ${select} FROM ${source}`)
    .raw(true)
    .safeIntegers(true);
  const names = statement.columns().map((column) => column.name);
  for (const [key, ...values] of statement.iterate()) {
    const row = Object.fromEntries(values.map((value, index) => [names[index + 1], asJson(value)]));
    yield { table, key: typeof key === 'string' ? key : null, action, row };
  }
}

function asJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value;
}
