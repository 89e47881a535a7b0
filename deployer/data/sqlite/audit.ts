import { z } from 'zod';
import type { Connection } from '../../../backups/sqlite/open.ts';
import { listColumns } from '../../../backups/sqlite/tables.ts';
import type { Unasked, UnaskedQuestion } from '../types.ts';

const NEEDED = ['id', 'at', 'actor_id', 'deployment_id', 'request_id', 'table_name', 'row_id', 'action'];

const writer = z.object({
  at: z.string().nullable(),
  actor: z.string().nullable(),
  deployment: z.string().nullable(),
  request: z.string().nullable(),
});

/**
 * Who last wrote a row since `main`, from the audit log that triggers keep in `after`: `written by deployment d7
 * without a request at …`; null when there is no such log, nothing in it, or nobody named.
 */
export function auditedBy(database: Connection, table: string, keyText: string): string | null {
  if (!hasLog(database, 'after')) return null;
  const since = hasLog(database, 'main') ? '(SELECT coalesce(max(id), 0) FROM main.audit_log)' : '0';
  const row = database
    .prepare(
      `SELECT CAST(at AS TEXT) AS at, CAST(actor_id AS TEXT) AS actor, CAST(deployment_id AS TEXT) AS deployment,
         CAST(request_id AS TEXT) AS request FROM after.audit_log
       WHERE table_name = ? AND row_id = ? AND id > ${since} ORDER BY id DESC LIMIT 1`,
    )
    .get(table, keyText);
  if (row === undefined) return null;
  const { at, actor, deployment, request } = writer.parse(row);
  // Nobody in particular: where the difference was found says more.
  return [actor, deployment, request].every((who) => who === null)
    ? null
    : sentence({ at, actor, deployment, request });
}

/**
 * Writes of a deployment that no request caused, from the same log: `3 rows of documents (the last: 17) written without
 * a request`; none where there is no such log. A job that opens the database by itself names no deployment: its writes
 * count after an entry, or from a time on.
 */
export function unaskedWrites(database: Connection, asked: UnaskedQuestion): Unasked {
  const { seen } = asked;
  if (!hasLog(database, 'main')) return { found: null, seen };
  const last = lastEntry(database);
  const rows = database
    .prepare(
      `SELECT table_name AS "table", count(*) AS rows, CAST(max(row_id) AS TEXT) AS last FROM audit_log
       WHERE id > @seen AND request_id IS NULL
         AND (deployment_id = @deployment OR deployment_id IS NULL
           AND CASE WHEN @after IS NULL THEN julianday(at) >= julianday(@since) ELSE id > @after END)
       GROUP BY table_name ORDER BY table_name`,
    )
    .all(asked);
  const found = unasked
    .parse(rows)
    .map(({ table, rows: count, last: row }) => `${count} rows of ${table} (the last: ${row})`);
  return {
    found: found.length > 0 ? `${found.join(', ')} written without a request` : null,
    seen: last ?? seen,
  };
}

/** Its id; 0: none yet, null: no such log, or ids that are no numbers: all of the log is looked at each time then. */
export function lastEntry(database: Connection): number | null {
  return hasLog(database, 'main') ? newest.parse(database.prepare(NEWEST).get()).last : null;
}

const NEWEST =
  "SELECT CASE typeof(coalesce(max(id), 0)) WHEN 'integer' THEN coalesce(max(id), 0) END AS last FROM audit_log";
const newest = z.object({ last: z.number().nullable() });
const unasked = z.array(z.object({ table: z.string(), rows: z.number(), last: z.string().nullable() }));

function hasLog(database: Connection, schema: string): boolean {
  const names = listColumns(database, 'audit_log', schema).map(({ name }) => name);
  return NEEDED.every((name) => names.includes(name));
}

function sentence({ at, actor, deployment, request }: z.output<typeof writer>): string {
  const by = [
    deployment === null ? 'no deployment' : `deployment ${deployment}`,
    request === null ? 'without a request' : `in request ${request}`,
    actor === null ? '' : `as actor ${actor}`,
  ];
  return `written by ${by.filter(Boolean).join(' ')} at ${at}`;
}
