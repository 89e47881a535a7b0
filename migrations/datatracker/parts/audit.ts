import type { Knex } from 'knex';

/** Columns whose values never reach the log: whether they changed is recorded, what they hold is not. */
const SECRET = new Set(['password_hash', 'totp_secret', 'key_sha256']);

interface Column {
  name: string;
  pk: number;
}

interface Index {
  name: string;
  unique: number;
}

/**
 * Puts the audit triggers on a table. To be called again at the end of a migration that rebuilds the
 * table, because SQLite drops a table's triggers with it.
 */
export async function auditTable(knex: Knex, table: string): Promise<void> {
  const columns = await knex.raw<Column[]>(`PRAGMA table_info(${table})`);
  for (const action of ['insert', 'update', 'delete'] as const) {
    await knex.raw(`CREATE TRIGGER audit_${table}_${action} AFTER ${action.toUpperCase()} ON ${table} BEGIN
      ${logRow(table, columns, action)};
    END`);
  }
  await refuseReplacing(knex, table, columns);
}

export async function unauditTable(knex: Knex, table: string): Promise<void> {
  for (const suffix of ['insert', 'update', 'delete', 'replace', 'replace_update']) {
    await knex.raw(`DROP TRIGGER IF EXISTS audit_${table}_${suffix}`);
  }
}

function logRow(table: string, columns: Column[], action: 'insert' | 'update' | 'delete'): string {
  const key = columns.filter((column) => column.pk > 0).map(({ name }) => name);
  const row = action === 'delete' ? 'OLD' : 'NEW';
  const id = key.map((name) => `${row}.${name}`).join(" || '/' || ");
  return `INSERT INTO audit_log (at, actor_id, deployment_id, request_id, table_name, row_id, action, old, new)
    VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
      (SELECT actor_id FROM audit_context), (SELECT deployment_id FROM audit_context),
      (SELECT request_id FROM audit_context), '${table}', CAST(${id} AS TEXT), '${action}',
      ${action === 'insert' ? 'NULL' : asJson('OLD', columns)},
      ${action === 'delete' ? 'NULL' : asJson('NEW', columns)})`;
}

function asJson(row: 'OLD' | 'NEW', columns: Column[]): string {
  const pairs = columns.map(
    ({ name }) => `'${name}', ${SECRET.has(name) ? redacted(row, name) : `${row}.${name}`}`,
  );
  return `json_object(${pairs.join(', ')})`;
}

function redacted(row: string, column: string): string {
  return `CASE WHEN ${row}.${column} IS NULL THEN NULL ELSE '[secret]' END`;
}

/**
 * INSERT OR REPLACE and UPDATE OR REPLACE delete a row without firing its delete trigger, unless that
 * connection has recursive_triggers on. We cannot know who connects, so replacing is refused for everybody.
 */
async function refuseReplacing(knex: Knex, table: string, columns: Column[]): Promise<void> {
  const keys = await uniqueKeys(knex, table, columns);
  const taken = keys.map((key) => `(${key})`).join(' OR ');
  const own = columns.some(({ name }) => name === 'id') ? 'id IS NOT OLD.id AND ' : '';
  const refuse = `SELECT RAISE(ABORT, 'UNIQUE constraint failed: ${table} holds such a row')`;
  await knex.raw(`CREATE TRIGGER audit_${table}_replace BEFORE INSERT ON ${table} BEGIN
    ${refuse} FROM ${table} WHERE ${taken};
  END`);
  if (own === '') return;
  await knex.raw(`CREATE TRIGGER audit_${table}_replace_update BEFORE UPDATE ON ${table} BEGIN
    ${refuse} FROM ${table} WHERE ${own}(${taken});
  END`);
}

/** A condition for each unique key: that a row holds the same as NEW. */
async function uniqueKeys(knex: Knex, table: string, columns: Column[]): Promise<string[]> {
  const primary = columns.filter(({ pk }) => pk > 0).map(({ name }) => name);
  const indexes = await knex.raw<Index[]>(`PRAGMA index_list(${table})`);
  const keys = [sameAs(primary)];
  for (const { name } of indexes.filter(({ unique }) => unique === 1)) {
    const members = await knex.raw<{ name: string }[]>(`PRAGMA index_info(${name})`);
    keys.push(
      [sameAs(members.map((member) => member.name)), ...(await conditionOf(knex, name))].join(' AND '),
    );
  }
  return [...new Set(keys)];
}

function sameAs(names: string[]): string {
  return names.map((name) => `${name} = NEW.${name}`).join(' AND ');
}

/** A partial index counts only for rows that meet its condition, the new one included. */
async function conditionOf(knex: Knex, index: string): Promise<string[]> {
  const [row] = await knex('sqlite_master').where({ type: 'index', name: index }).select('sql');
  const condition = /\sWHERE\s(.+)$/is.exec(String(row?.sql ?? ''))?.[1];
  if (condition === undefined) return [];
  const column = /^(\w+)/.exec(condition)?.[1] ?? '';
  return [condition, condition.replace(column, `NEW.${column}`)];
}
