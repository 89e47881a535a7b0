// `migrate` of contract section 5 for the sample: migrations/NAME.json holds {"up": [sql], "down": [sql] | null, "touches": []}.
import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const [verb, ...rest] = process.argv.slice(2);
const to = rest.includes('--to') ? rest[rest.indexOf('--to') + 1] : undefined;
const directory = new URL('migrations/', import.meta.url);
const known = readdirSync(directory)
  .toSorted()
  .map((file) => ({
    name: file.replace('.json', ''),
    ...JSON.parse(readFileSync(new URL(file, directory), 'utf8')),
  }));
const database = new DatabaseSync(process.env.DATABASE_FILE);
if (verb !== 'status')
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS applied_migrations (name TEXT PRIMARY KEY)',
  );
const has = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'applied_migrations'").get();
const applied = has
  ? database
      .prepare('SELECT name FROM applied_migrations ORDER BY name')
      .all()
      .map(({ name }) => name)
  : [];
const ran = [];
let error = null;

function run(migration, statements, mark) {
  const began = performance.now();
  try {
    database.exec('BEGIN');
    for (const sql of statements) database.exec(sql);
    database.prepare(mark).run(migration.name);
    database.exec('COMMIT');
  } catch (failure) {
    database.exec('ROLLBACK');
    error = {
      migration: migration.name,
      message: failure.message,
      location: `migrations/${migration.name}.json:1`,
    };
    return false;
  }
  ran.push({
    name: migration.name,
    durationMs: Math.round(performance.now() - began),
    touches: migration.touches,
    reversible: migration.down !== null,
  });
  return true;
}

if (verb === 'up') {
  for (const migration of known.filter(({ name }) => !applied.includes(name))) {
    if (!run(migration, migration.up, 'INSERT INTO applied_migrations VALUES (?)')) break;
    applied.push(migration.name);
  }
}
if (verb === 'down') {
  while (applied.length > 0 && applied.at(-1) !== to) {
    const migration = known.find(({ name }) => name === applied.at(-1));
    if (!migration?.down) {
      error = { migration: applied.at(-1), message: 'it has no down', location: null };
      break;
    }
    if (!run(migration, migration.down, 'DELETE FROM applied_migrations WHERE name = ?')) break;
    applied.pop();
  }
}
const pending = known.map(({ name }) => name).filter((name) => !applied.includes(name));
process.stdout.write(JSON.stringify({ success: error === null, applied, pending, ran, error }));
process.exitCode = error ? 1 : 0;
