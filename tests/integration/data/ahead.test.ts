import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { closeDataThreads } from '../../../deployer/data/index.ts';
import { beginFiles } from '../../../deployer/data/sqlite/copy.ts';
import { sqliteGenerations } from '../../../deployer/data/sqlite/generations.ts';
import { dataThreads } from '../../../deployer/data/sqlite/thread.ts';
import type { BegunCopy, Generation, Generations } from '../../../deployer/data/types.ts';
import { seeded } from '../../unit/scratch.ts';
import { startProgram } from './child.ts';
import { makeDatabase, sql, temporaryDirectory } from './fixture.ts';

const root = temporaryDirectory();
afterAll(closeDataThreads);

let generations: Generations;
let from: Generation;
let number = 0;
beforeEach(async () => {
  const home = join(root, `${++number}`);
  generations = sqliteGenerations({ home, environment: 'dev', file: 'app.db' });
  from = await generations.fill(async (file) => makeDatabase(file));
  sql(fileOf(from), 'CREATE TABLE filler(id INTEGER PRIMARY KEY, body BLOB); PRAGMA journal_mode = wal');
  sql(fileOf(from), rows(300));
});

const fileOf = ({ env }: Generation) => env['DATABASE_FILE'] ?? '';
const rows = (count: number) =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
   INSERT INTO filler(body) SELECT randomblob(1500) FROM n;`;

/** Finishes the copy under the lock, as under a hold: what then is not as in the source. */
async function finished(begun: BegunCopy) {
  const lock = await generations.lock(from, 1000);
  const copy = await begun.complete();
  const unchanged = lock.unchanged();
  lock.release();
  const differences = await generations.compare(from, copy, new Set());
  return { unchanged, differences, problem: await generations.sound(copy) };
}

const WHOLE = { unchanged: true, differences: [], problem: null };

/** What an application does that stays open: then its log is not tidied up after each statement. */
function application(): Database.Database {
  const database = new Database(fileOf(from), { timeout: 0 });
  database.pragma('wal_autocheckpoint = 0');
  return database;
}

test('a copy that was begun has what was written until it is finished', async () => {
  expect(await generations.copiesAhead(from)).toBe(true);
  const begun = await generations.beginCopy(from);
  sql(fileOf(from), "UPDATE filler SET body = 'changed' WHERE id % 7 = 0; DELETE FROM filler WHERE id > 200");
  sql(fileOf(from), 'CREATE INDEX later ON filler(body)');
  expect(await finished(begun)).toEqual(WHOLE);
});

test.each(['a log that was written back', 'a log that was not'])(
  'no checkpoint takes anything from a copy that was begun with %s',
  async (which) => {
    const live = application();
    live.exec(rows(50));
    if (which === 'a log that was written back') live.pragma('wal_checkpoint(TRUNCATE)');
    const begun = await generations.beginCopy(from);
    for (const mode of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
      live.exec(`${rows(20)} UPDATE filler SET body = '${mode}' WHERE id % 11 = 3`);
      live.pragma(`wal_checkpoint(${mode})`);
      live.exec('UPDATE users SET age = age + 1; DELETE FROM filler WHERE id = (SELECT max(id) FROM filler)');
    }
    expect(await finished(begun)).toEqual(WHOLE);
    live.close();
  },
);

test.each([1, 2, 3, 4, 5, 6])('whatever happens meanwhile, it is the same in the end: %i', async (seed) => {
  const random = seeded(seed);
  const live = application();
  const statements = [
    rows(30),
    'DELETE FROM filler WHERE id % 3 = 1',
    'UPDATE filler SET body = zeroblob(4000) WHERE id % 5 = 2',
    "INSERT INTO docs(title) VALUES ('another')",
    'PRAGMA wal_checkpoint(PASSIVE)',
    'PRAGMA wal_checkpoint(TRUNCATE)',
    'BEGIN; UPDATE users SET age = 0; ROLLBACK',
    'VACUUM',
  ];
  const act = () => live.exec(statements[Math.floor(random() * statements.length)] ?? '');
  for (let count = random() * 10; count > 0; count--) act();
  const begun = await generations.beginCopy(from);
  for (let count = random() * 20; count > 0; count--) act();
  expect(await finished(begun)).toEqual(WHOLE);
  live.close();
});

test('it is begun while another process writes without a pause, which then waits for the lock alone', async () => {
  const { nextLine } = startProgram(`
    import Database from 'better-sqlite3';
    const database = new Database(${JSON.stringify(fileOf(from))}, { timeout: 60000 });
    const insert = database.prepare('INSERT INTO filler(body) VALUES (randomblob(3000))');
    for (let i = 0; ; i++) { insert.run(); if (i % 10 === 0) console.log(i); }
  `);
  for (let round = 0; round < 3; round++) {
    await nextLine();
    const begun = await generations.beginCopy(from);
    for (let line = 0; line < 5; line++) await nextLine();
    const lock = await generations.lock(from, 30_000);
    const copy = await begun.complete();
    expect(await generations.compare(from, copy, new Set())).toEqual([]);
    lock.release();
  }
});

test('a long log is shortened first, because all of it would be copied', async () => {
  const live = application();
  live.exec(rows(12_000));
  const log = `${fileOf(from)}-wal`;
  expect(statSync(log).size).toBeGreaterThan(16 * 1024 ** 2);
  const begun = await generations.beginCopy(from);
  expect(statSync(log).size).toBe(0);
  live.exec(rows(5));
  expect(await finished(begun)).toEqual(WHOLE);
  live.close();
});

test.each([
  { which: 'goes on', checkpoint: false, isSame: true },
  { which: 'is begun anew', checkpoint: true, isSame: false },
])('a log that $which while it is copied is told from the other', async ({ checkpoint, isSame }) => {
  const live = application();
  live.exec(rows(50));
  if (checkpoint) live.pragma('wal_checkpoint(PASSIVE)');
  const to = join(root, `copy-${number}.db`);
  const begun = await beginFiles(dataThreads.of(fileOf(from)), fileOf(from), to);
  live.exec(rows(5));
  expect(await begun?.complete()).toBe(isSame);
  live.close();
});

test('a log that is cut off while it is copied is copied to the end that it then has', async () => {
  const live = application();
  live.exec(rows(30_000));
  // Who reads keeps it from being shortened at the beginning, which it would be because it is long.
  const reader = new Database(fileOf(from));
  reader.exec('BEGIN; SELECT * FROM users');
  const to = join(root, `copy-${number}.db`);
  const begun = await beginFiles(dataThreads.of(fileOf(from)), fileOf(from), to);
  reader.close();
  const completed = begun?.complete();
  while (!statSync(`${to}-wal`, { throwIfNoEntry: false })?.size) await immediately();
  live.pragma('wal_checkpoint(TRUNCATE)');
  expect(statSync(`${fileOf(from)}-wal`).size).toBe(0);
  expect(await completed).toBe(false);
  live.close();
});

test('where whoever reads keeps others from writing, all of it is copied at the end', async () => {
  sql(fileOf(from), 'PRAGMA journal_mode = delete');
  expect(await generations.copiesAhead(from)).toBe(false);
  const begun = await generations.beginCopy(from);
  sql(fileOf(from), rows(3));
  expect(await finished(begun)).toEqual(WHOLE);
});

test('one that is given up leaves nothing, and keeps nothing of the log', async () => {
  const begun = await generations.beginCopy(from);
  await begun.drop();
  expect(left()).toEqual(NOTHING);
});

test('nor does one that does not get to the disk', async () => {
  const directory = dirname(dirname(fileOf(from)));
  const copy = () =>
    readdirSync(directory).find((name) => name !== from.id && existsSync(join(directory, name, 'app.db')));
  const begun = generations.beginCopy(from).catch(String);
  while (!copy()) await immediately();
  rmSync(join(directory, copy() ?? ''), { recursive: true });
  expect(await begun).toContain('ENOENT');
  expect(left()).toEqual(NOTHING);
});

const NOTHING = { copies: [], busy: 0, log: false };

function left() {
  const copies = readdirSync(dirname(dirname(fileOf(from)))).filter((name) => name !== from.id);
  const live = application();
  live.exec(rows(5));
  const [result] = live.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
  live.close();
  return { copies, busy: result?.busy, log: existsSync(`${fileOf(from)}-wal`) };
}
