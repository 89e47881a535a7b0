import { Client } from 'pg';
import { check, type Fault } from '../check.ts';
import { tableDigester, type TableDigest, type Value } from '../digest.ts';
import type { Check } from '../report.ts';
import type { Reader, TableKeys } from './reader.ts';

const BATCH = 2000;

/** @throws when the server cannot be reached within ten seconds */
export async function openPostgres(url: string): Promise<Reader> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 60_000,
  });
  await client.connect();
  await client.query('set default_transaction_read_only = on');
  const turn = queue();
  const all = <Row extends object>(sql: string): Promise<Row[]> =>
    turn(async () => (await client.query<Row>(sql)).rows);
  return {
    all,
    tables: async () => (await all<{ name: string }>(TABLES)).map(({ name }) => name),
    keys: (table) => turn(() => keysOf(client, table)),
    digest: (table) => turn(() => digestOf(client, table)),
    soundness: () => soundness(all),
    close: () => client.end(),
  };
}

const TABLES = `select tablename as name from pg_catalog.pg_tables where schemaname = current_schema() order by 1`;

/** Columns of a key in its order. */
const COLUMNS = `select string_agg(attname, ',' order by position) from unnest(%) with ordinality as key(number, position)
  join pg_attribute on attrelid = relation and attnum = number`;

const KEYS = `select 'unique' as kind, (${COLUMNS.replace('%', 'indkey::int2[]')}) as text
    from (select indkey, indrelid as relation from pg_index where indrelid = $1::regclass and indisunique) as i
  union all select 'foreign', (${COLUMNS.replace('%', 'conkey')}) || '>' || confrelid::regclass
    from (select conkey, conrelid as relation, confrelid from pg_constraint where conrelid = $1::regclass and contype = 'f') as f
  union all select 'check', pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass and contype = 'c'`;

async function keysOf(client: Client, table: string): Promise<TableKeys> {
  const { rows } = await client.query<{ kind: string; text: string }>(KEYS, [client.escapeIdentifier(table)]);
  const of = (wanted: string): string[] => rows.filter(({ kind }) => kind === wanted).map(({ text }) => text);
  return { unique: of('unique'), foreign: of('foreign'), checks: of('check').join(' ') };
}

/** Every value as PostgreSQL writes it as text; read by a cursor, so that no table is held in memory. */
async function digestOf(client: Client, table: string): Promise<TableDigest> {
  const name = client.escapeIdentifier(table);
  const columns = await client.query<{ column: string }>(
    `select quote_ident(attname) || '::text' as column from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [name],
  );
  const list = columns.rows.map(({ column }) => column).join(', ');
  const digester = tableDigester();
  await client.query('begin transaction isolation level repeatable read, read only');
  try {
    await client.query(`declare every_row no scroll cursor for select ${list} from ${name}`);
    for (;;) {
      const { rows } = await client.query<Value[]>({
        text: `fetch ${BATCH} from every_row`,
        rowMode: 'array',
      });
      for (const row of rows) digester.add(row);
      if (rows.length < BATCH) return digester.finish();
    }
  } finally {
    await client.query('rollback');
  }
}

function soundness(all: <Row extends object>(sql: string) => Promise<Row[]>): Promise<Check[]> {
  return Promise.all([
    check('the constraints', 'are all validated', async () => {
      const [broken] = await all<{ name: string; table: string }>(
        `select conname as name, conrelid::regclass::text as table from pg_constraint
          where not convalidated and connamespace = current_schema()::regnamespace order by 1 limit 1`,
      );
      return broken === undefined
        ? null
        : fault(
            `hold ${broken.name} of ${broken.table}, which was never validated`,
            'alter table … validate constraint',
          );
    }),
    check('the indexes', 'are all valid', async () => {
      const [broken] = await all<{ name: string }>(
        `select indexrelid::regclass::text as name from pg_index join pg_class on pg_class.oid = indexrelid
          where not (indisvalid and indisready) and relnamespace = current_schema()::regnamespace order by 1 limit 1`,
      );
      return broken === undefined ? null : fault(`hold ${broken.name}, which is not valid`, 'reindex it');
    }),
    check('the encoding', 'UTF8', async () => {
      const [row] = await all<{ server_encoding: string }>('show server_encoding');
      return row?.server_encoding === 'UTF8'
        ? null
        : fault(`is ${row?.server_encoding}`, 'create the database with UTF8');
    }),
  ]);
}

function fault(actual: string, hint: string): Fault {
  return { actual, hint };
}

/** One connection answers one question, and is in one transaction, at a time. */
function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
