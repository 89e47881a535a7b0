import { check, type Fault } from '../check.ts';
import type { Context } from '../context.ts';
import { EXPECTED, type ExpectedTable } from '../database/expected.ts';
import type { Reader } from '../database/reader.ts';
import { isNewer, migrationsOfTree } from '../database/scratch.ts';
import { locate } from '../locate.ts';
import type { Check } from '../report.ts';

/** Is the database whole, and is it the one that this tree is written for? */
export async function run(context: Context): Promise<Check[]> {
  const reader = await context.reader();
  const tables = new Set(await reader.tables());
  const applied = tables.has('knex_migrations')
    ? (await reader.all<{ name: string }>('select name from knex_migrations')).map(({ name }) => name)
    : [];
  const checks = [
    await check('the migrations', `${migrationsOfTree().length} applied, none pending`, () =>
      judgeMigrations(applied),
    ),
  ];
  for (const [name, expected] of Object.entries(EXPECTED)) {
    checks.push(
      await check(`table ${name}`, 'is there with its keys', () =>
        judgeTable(reader, tables, name, expected),
      ),
    );
  }
  return [...checks, ...(await reader.soundness(isNewer(applied)))];
}

function judgeMigrations(applied: string[]): Fault | null {
  const wanted = migrationsOfTree();
  const pending = wanted.find((name) => !applied.includes(name));
  if (pending !== undefined) {
    const location = () => `migrations/datatracker/${pending}.ts`;
    return { actual: `lack ${pending}: it is pending`, hint: 'run migrations/run.ts up', location };
  }
  // A release may be taken back onto the schema of a later one; what comes in between is of another line.
  const newest = wanted.at(-1) ?? '';
  const stranger = applied.find((name) => !wanted.includes(name) && name < newest);
  if (stranger === undefined) return null;
  return {
    actual: `hold ${stranger}, which this tree does not have`,
    hint: 'the database belongs to another line of releases: take that migration back with its own release',
  };
}

async function judgeTable(
  reader: Reader,
  tables: Set<string>,
  name: string,
  { unique = [], foreign = [], checks = [] }: ExpectedTable,
): Promise<Fault | null> {
  const location = locateTable(name);
  if (!tables.has(name))
    return { actual: 'is missing', hint: 'no migration makes it, or one drops it', location };
  const keys = await reader.keys(name);
  const lacking = [
    ...unique.filter((key) => !keys.unique.includes(key)).map((key) => `a unique key over (${key})`),
    ...foreign
      .filter((key) => !keys.foreign.includes(key))
      .map((key) => `a foreign key (${key.replace('>', ') to ')}`),
    ...checks
      .filter((condition) => !keys.checks.includes(condition))
      .map((condition) => `a CHECK of ${condition}`),
  ];
  if (lacking.length === 0) return null;
  return {
    actual: `lacks ${lacking.join(' and ')}`,
    hint: 'a migration that rebuilt the table lost it',
    location,
  };
}

function locateTable(name: string): () => string | null {
  return () => locate('migrations/datatracker', `createTable('${name}'`);
}
