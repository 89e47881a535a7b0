import { DatabaseSync } from 'node:sqlite';

/** Nothing is told or received again after so long: such rows are not kept. */
const KEPT_DAYS = 30;
const MINUTES_BETWEEN = 10;
/** One in so many was rejected, and its commit is quarantined. */
const REJECTED = 20;

const rejected = (value: string, otherwise: string) =>
  `CASE WHEN n.i % ${REJECTED} = 0 THEN ${value} ELSE ${otherwise} END`;
const RECENT = `n.at > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-${KEPT_DAYS} days')`;

/** Rows of the oldest deployment that are copied with it: which they are, what is another in each copy, and in which copies. */
const COPIED: { table: string; where: string; other: Record<string, string>; which?: string }[] = [
  {
    table: 'deployments',
    where: 'id = :template',
    other: {
      seq: 'n.i',
      id: 'n.id',
      commit: 'n.hash',
      tree: 'n.hash',
      outcome: rejected("'rejected'", 't.outcome'),
      cause: rejected("'routes: GET / gave 500, expected 200'", 't.cause'),
      live_at: rejected('NULL', 'n.at'),
      previous: 'n.previous',
      replaced: 'n.previous',
      ...Object.fromEntries(['requested_at', 'started_at', 'finished_at'].map((name) => [name, 'n.at'])),
    },
  },
  { table: 'stages', where: 'deployment_id = :template', other: { deployment_id: 'n.id' } },
  { table: 'suites', where: 'deployment_id = :template', other: { deployment_id: 'n.id' } },
  {
    table: 'audit',
    where: 'deployment_id = :template',
    other: { id: 'NULL', deployment_id: 'n.id', at: 'n.at' },
  },
  {
    table: 'outbox',
    where:
      "delivered_at IS NOT NULL AND lane LIKE '%' || (SELECT \"commit\" FROM deployments WHERE id = :template) || '%'",
    other: { id: 'NULL', created_at: 'n.at' },
    which: RECENT,
  },
  {
    table: 'events',
    where: 'id = (SELECT min(id) FROM events)',
    other: { id: 'NULL', delivery: 'n.id', received_at: 'n.at' },
    which: RECENT,
  },
];

/**
 * Brings the deployer's own state to `total` deployments, one every ten minutes until now: the new ones are older than all
 * that are there, and copies of the oldest with all that was received, recorded and reported of it. One in twenty was
 * rejected. The deployer must not run meanwhile.
 */
export function growPast(stateFile: string, total: number): void {
  const state = new DatabaseSync(stateFile, { timeout: 30_000 });
  try {
    state.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN');
    const count = total - numberIn(state, 'SELECT count(*) AS number FROM deployments');
    if (count > 0) addCopies(state, count);
    state.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    state.close();
  }
}

function addCopies(state: DatabaseSync, count: number): void {
  const newest = numberIn(state, 'SELECT max(seq) AS number FROM deployments');
  // By way of negative numbers, because no two rows may have the same at any moment.
  state.exec(`UPDATE deployments SET seq = -seq; UPDATE deployments SET seq = ${count} - seq`);
  const id = (i: string) => `printf('20200101-%06d-%06x', ${newest}, ${i})`;
  state.exec(
    `CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     SELECT i, ${id('i')} AS id, ${id('i - 1')} AS previous, printf('%08x%016x%016x', i * 2654435761 % 4294967296, ${newest}, i) AS hash,
       strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || (${MINUTES_BETWEEN} * (${count} - i + 1)) || ' minutes') AS at
     FROM n`,
  );
  const row = state.prepare('SELECT id, environment FROM deployments ORDER BY seq LIMIT 1').get();
  const template = String(row?.['id']);
  for (const { table, where, other, which = 'true' } of COPIED) {
    const names = state
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((column) => String(column['name']));
    const columns = names.map((name) => `"${name}"`).join(', ');
    const values = names.map((name) => other[name] ?? `t."${name}"`).join(', ');
    const copy = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM ${table} t, n
      WHERE ${which} AND t.rowid IN (SELECT rowid FROM ${table} WHERE ${where})`;
    state.prepare(copy).run(where.includes(':template') ? { template } : {});
  }
  state
    .prepare(
      `INSERT INTO quarantine (environment, "commit", deployment_id, since)
       SELECT ?, hash, id, at FROM n WHERE i % ${REJECTED} = 0`,
    )
    .run(String(row?.['environment']));
}

function numberIn(state: DatabaseSync, sql: string): number {
  return Number(state.prepare(sql).get()?.['number']);
}
