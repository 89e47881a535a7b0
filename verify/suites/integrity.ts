import { check, type Fault } from '../check.ts';
import type { Baseline, Context } from '../context.ts';
import type { Reader } from '../database/reader.ts';
import { CONSISTENCY, type Rule } from '../database/consistency.ts';
import type { Check } from '../report.ts';

/** Tables that change while nobody does anything, and Knex's own. */
const EXEMPT = new Set([
  'sessions',
  'counters',
  'rate_counters',
  'cache_versions',
  'audit_log',
  'knex_migrations',
  'knex_migrations_lock',
]);

/** With a baseline: is the data what it was? Without: does the data agree with itself? */
export async function run(context: Context): Promise<Check[]> {
  const reader = await context.reader();
  if (context.baseline !== null) return compare(reader, context.baseline);
  const checks: Check[] = [];
  for (const rule of CONSISTENCY)
    checks.push(await check(rule.name, rule.expected, () => judge(reader, rule)));
  return checks;
}

async function compare(reader: Reader, baseline: Baseline): Promise<Check[]> {
  const tables = new Set(await reader.tables());
  const names = new Set([...Object.keys(baseline), ...tables]);
  const checks: Check[] = [];
  for (const name of [...names].filter((table) => !EXEMPT.has(table)).sort()) {
    const before = baseline[name];
    const expected = before === undefined ? 'is not there' : `holds the same ${before.rows} rows`;
    checks.push(
      await check(`table ${name}`, expected, () => compareTable(reader, name, before, tables.has(name))),
    );
  }
  return checks;
}

async function compareTable(
  reader: Reader,
  name: string,
  before: Baseline[string] | undefined,
  exists: boolean,
): Promise<Fault | null> {
  const hint = 'audit_log says who wrote it; only tables that a migration names in "touches" may change';
  if (before === undefined) return { actual: 'is new', hint };
  // A virtual table has its digest too, but is not among the ordinary ones.
  const now = await reader.digest(name).catch((error: unknown) => {
    if (exists) throw error;
    return null;
  });
  if (now === null) return { actual: `is gone with its ${before.rows} rows`, hint };
  if (now.rows !== before.rows) return { actual: `has ${now.rows} rows instead of ${before.rows}`, hint };
  return now.digest === before.digest
    ? null
    : { actual: `has the same ${now.rows} rows with other values`, hint };
}

async function judge(reader: Reader, { sql, hint }: Rule): Promise<Fault | null> {
  const [first] = await reader.all<{ fault: string }>(sql);
  return first === undefined ? null : { actual: first.fault, hint };
}
