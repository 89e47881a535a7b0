import { DatabaseSync } from 'node:sqlite';

/** Rows of the oldest deployment that are copied with it: which they are, and what is another in each copy. */
const COPIED: { table: string; where: string; other: Record<string, string> }[] = [
  { table: 'deployments', where: 'id = :template', other: { seq: 'n.i', id: 'n.id' } },
  { table: 'stages', where: 'deployment_id = :template', other: { deployment_id: 'n.id' } },
  { table: 'suites', where: 'deployment_id = :template', other: { deployment_id: 'n.id' } },
  { table: 'audit', where: 'deployment_id = :template', other: { id: 'NULL', deployment_id: 'n.id' } },
  {
    table: 'outbox',
    where:
      "delivered_at IS NOT NULL AND lane LIKE '%' || (SELECT \"commit\" FROM deployments WHERE id = :template) || '%'",
    other: { id: 'NULL' },
  },
  { table: 'events', where: 'id = (SELECT min(id) FROM events)', other: { id: 'NULL', delivery: 'n.id' } },
];

/**
 * Brings the deployer's own state to `total` deployments: the new ones are older than all that are there, and copies of
 * the oldest with all that was received, recorded and reported of it. The deployer must not run meanwhile.
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
  state.exec(
    `CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     SELECT i, printf('20200101-%06d-%06x', ${newest}, i) AS id FROM n`,
  );
  const row = state.prepare('SELECT id FROM deployments ORDER BY seq LIMIT 1').get();
  const template = String(row?.['id']);
  for (const { table, where, other } of COPIED) {
    const names = state
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((column) => String(column['name']));
    const columns = names.map((name) => `"${name}"`).join(', ');
    const values = names.map((name) => other[name] ?? `t."${name}"`).join(', ');
    const copy = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM ${table} t, n WHERE t.rowid IN (SELECT rowid FROM ${table} WHERE ${where})`;
    state.prepare(copy).run(where.includes(':template') ? { template } : {});
  }
}

function numberIn(state: DatabaseSync, sql: string): number {
  return Number(state.prepare(sql).get()?.['number']);
}
