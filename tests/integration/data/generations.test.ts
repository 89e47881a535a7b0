import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseEnvironment } from '../../../environments/parse.ts';
import { closeDataThreads, openGenerations } from '../../../deployer/data/index.ts';
import { sqliteGenerations } from '../../../deployer/data/sqlite/generations.ts';
import type { Generation, Generations } from '../../../deployer/data/types.ts';
import { startProgram } from './child.ts';
import { makeDatabase, sql, temporaryDirectory } from './fixture.ts';

const root = temporaryDirectory();
afterAll(closeDataThreads);

let home: string;
let generations: Generations;
let number = 0;
beforeEach(() => {
  home = join(root, `${++number}`);
  generations = sqliteGenerations({ home, environment: 'dev', file: 'app.db' });
});

const fileOf = ({ env }: Generation) => env['DATABASE_FILE'] ?? '';
const filled = () => generations.fill(async (file) => makeDatabase(file));

describe('a generation', () => {
  test('that is new is an empty database in WAL mode, in a directory of its own', async () => {
    const generation = await generations.create();
    expect(fileOf(generation)).toBe(join(home, 'data', 'dev', generation.id, 'app.db'));
    const database = new Database(fileOf(generation));
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()).toBe(0);
    database.close();
    expect(generations.open(generation.id)).toEqual(generation);
  });

  test('is copied whole: rows, schema, rowids and journal mode', async () => {
    const from = await filled();
    const copy = await generations.copy(from);
    expect(copy.id > from.id).toBe(true);
    expect(await generations.compare(from, copy, new Set())).toEqual([]);
    expect(await generations.fingerprint(copy)).toEqual(await generations.fingerprint(from));
    expect(await generations.schema(copy)).toBe(await generations.schema(from));
    expect(await generations.sound(copy)).toBeNull();
    expect(await generations.size(copy)).toBeGreaterThan(4096);
    const database = new Database(fileOf(copy));
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    database.close();
  });

  test('is copied while another process writes without a pause: consistent, and to an end', async () => {
    const from = await filled();
    sql(
      fileOf(from),
      `CREATE TABLE twice(a INT, b INT, padding BLOB);
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
       INSERT INTO twice SELECT i, i, randomblob(2000) FROM n`,
    );
    const { nextLine } = startProgram(`
      import Database from 'better-sqlite3';
      const database = new Database(${JSON.stringify(fileOf(from))});
      const insert = database.prepare('INSERT INTO twice VALUES (?, 0, NULL)');
      const complete = database.prepare('UPDATE twice SET b = a WHERE a = ?');
      const write = database.transaction((i) => { insert.run(i); complete.run(i); });
      for (let i = 100000; ; i++) { write(i); if (i % 10 === 0) console.log(i); }
    `);
    for (let round = 0; round < 5; round++) {
      await nextLine();
      const copy = await generations.copy(from);
      const database = new Database(fileOf(copy));
      expect(database.prepare('SELECT count(*) FROM twice WHERE a <> b').pluck().get()).toBe(0);
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      database.close();
    }
  });

  test('is copied of one state while its log is begun anew again and again', async () => {
    const from = await filled();
    // What is written together is far apart, and between it there is enough for a log to change while it is copied.
    sql(
      fileOf(from),
      `CREATE TABLE first(n INT); INSERT INTO first VALUES (0); CREATE TABLE log(n INT, padding BLOB);
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
       INSERT INTO log SELECT 0, randomblob(4000) FROM n;
       CREATE TABLE last(n INT); INSERT INTO last VALUES (0)`,
    );
    const { nextLine } = startProgram(`
      import Database from 'better-sqlite3';
      const database = new Database(${JSON.stringify(fileOf(from))}, { timeout: 60000 });
      database.pragma('wal_autocheckpoint = 0');
      const write = database.transaction((i) => {
        for (const table of ['first', 'log', 'last']) database.exec(\`UPDATE \${table} SET n = \${i}\`);
      });
      for (let i = 1; ; i++) {
        write(i);
        database.pragma(i % 3 ? 'wal_checkpoint(PASSIVE)' : 'wal_checkpoint(TRUNCATE)');
        console.log(i);
      }
    `);
    for (let round = 0; round < 20; round++) {
      await nextLine();
      const copy = await generations.draft(from);
      const database = new Database(fileOf(copy));
      const state = 'SELECT n FROM first UNION SELECT n FROM log UNION SELECT n FROM last';
      expect(database.prepare(state).pluck().all()).toHaveLength(1);
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      database.close();
      await generations.remove(copy);
    }
  });

  test('is copied while this process holds the write lock', async () => {
    const from = await filled();
    const lock = await generations.lock(from, 1000);
    const copy = await generations.copy(from);
    expect(lock.unchanged()).toBe(true);
    lock.release();
    expect(await generations.compare(from, copy, new Set())).toEqual([]);
  });

  test('tells what changed since another', async () => {
    const from = await filled();
    const copy = await generations.copy(from);
    sql(fileOf(copy), "UPDATE pairs SET value = 'zwei' WHERE b = 2");
    const file = join(home, 'changes.jsonl');
    expect(await generations.changes(copy, from, file)).toBe(1);
    expect(readFileSync(file, 'utf8')).toContain('"key":"x/2"');
  });

  test.each(['wal', 'delete'])('in journal mode %s is watched while others write', async (mode) => {
    const from = await filled();
    sql(fileOf(from), `PRAGMA journal_mode = ${mode}`);
    const watch = await generations.watch(from);
    expect(await watch.changed()).toEqual([]);
    sql(fileOf(from), "INSERT INTO sessions VALUES ('nobody minds')");
    expect(await watch.changed()).toEqual([]);
    sql(fileOf(from), "UPDATE pairs SET value = 'zwei' WHERE b = 2; DROP INDEX docs_by_title");
    expect((await watch.changed(new Set(['docs']))).map(({ sentence }) => sentence)).toEqual([
      'pairs: 1 row changed (key x/2)',
    ]);
    expect((await watch.changed()).map(({ table, kind }) => `${kind} of ${table}`)).toEqual([
      'index of docs',
      'rows of pairs',
    ]);
    await watch.end();
    expect(readdirSync(dirname(fileOf(from))).filter((name) => name.includes('.before'))).toEqual([]);
  });

  test('tells of writes that no request caused, and looks at each entry of the audit log once', async () => {
    const from = await filled();
    const entry = (deployment: string, request: string) =>
      `INSERT INTO audit_log(at, deployment_id, request_id, table_name, row_id, action)
       VALUES ('2026-11-20T12:00:00Z', ${deployment}, ${request}, 'docs', '17', 'insert')`;
    const asked = { deployment: 'd7', since: '2026-11-20T11:00:00Z', after: null };
    const { seen } = await generations.unasked(from, { ...asked, seen: 0 });
    sql(fileOf(from), entry("'d7'", "'a request'"));
    expect(await generations.unasked(from, { ...asked, seen })).toEqual({ found: null, seen: seen + 1 });
    sql(fileOf(from), `${entry("'d7'", 'NULL')}; ${entry('NULL', 'NULL')}; ${entry("'d8'", 'NULL')}`);
    const found = '2 rows of docs (the last: 17) written without a request';
    expect(await generations.unasked(from, { ...asked, seen: seen + 1 })).toEqual({ found, seen: seen + 4 });
    expect(await generations.unasked(from, { ...asked, seen: seen + 4 })).toEqual({
      found: null,
      seen: seen + 4,
    });
    const later = { ...asked, since: '2026-11-20T13:00:00Z', seen };
    expect((await generations.unasked(from, later)).found).toMatch(/^1 rows of docs/);
    // A clock that was set back meanwhile.
    expect((await generations.unasked(from, { ...later, after: seen + 1 })).found).toMatch(/^2 rows of docs/);
    expect((await generations.unasked(from, { ...later, after: seen + 3 })).found).toMatch(/^1 rows of docs/);
    expect(await generations.lastAudited(from)).toBe(seen + 4);
  });

  test('that could not be filled leaves nothing', async () => {
    await expect(generations.fill(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const gone: Generation = { id: 'g20260101-000000-000', env: {} };
    await expect(generations.copy(gone)).rejects.toMatchObject({ name: 'FailedError' });
    expect(readdirSync(join(home, 'data', 'dev'))).toEqual([]);
  });
});

describe('the generations of an environment', () => {
  test('are listed from old to new, without what is unfinished', async () => {
    const made = await Promise.all([generations.create(), generations.create(), generations.create()]);
    mkdirSync(join(home, 'data', 'dev', '.tmp-1-left'));
    expect(await generations.list()).toEqual(made.map(({ id }) => id).toSorted());
    expect(new Set(made.map(({ id }) => id)).size).toBe(3);
  });

  test('stay in order when the clock was set back', async () => {
    mkdirSync(join(home, 'data', 'dev', 'g29991231-235959-999'), { recursive: true });
    writeFileSync(join(home, 'data', 'dev', 'g29991231-235959-999', 'app.db'), '');
    const { id } = await generations.create();
    expect(id).toBe('g30000101-000000-000');
  });

  test('are none before the first', async () => {
    expect(await generations.list()).toEqual([]);
  });

  test('have a current one, which is pointed to by a relative link and never removed', async () => {
    const [one, other] = [await generations.create(), await generations.create()];
    await generations.setCurrent(one);
    await generations.setCurrent(other);
    expect(readlinkSync(join(home, 'data', 'dev', 'current'))).toBe(other.id);
    await expect(generations.remove(other)).rejects.toThrow('is the current one of dev; it is not removed');
    await generations.remove(one);
    expect(await generations.list()).toEqual([other.id]);
  });

  test('are swept: leftovers and what nobody keeps go, the current one stays', async () => {
    const [current, kept, old] = [
      await generations.create(),
      await generations.create(),
      await generations.create(),
    ];
    await generations.setCurrent(current);
    mkdirSync(join(home, 'data', 'dev', '.tmp-1-left'));
    await generations.sweep(new Set([kept.id]));
    expect(readdirSync(join(home, 'data', 'dev')).toSorted()).toEqual(
      ['current', current.id, kept.id].toSorted(),
    );
    expect(() => generations.open(old.id)).toThrow(`the generation ${old.id} of dev is not there`);
  });

  test('are not swept while they are being filled', async () => {
    await generations.fill(async (file) => {
      await generations.sweep(new Set());
      makeDatabase(file);
    });
    expect(await generations.list()).toHaveLength(1);
  });

  test.each(['..', '../prod', 'current', ''])('are never called %j', async (id) => {
    expect(() => generations.open(id)).toThrow('is not there');
    await expect(async () => generations.remove({ id, env: {} })).rejects.toThrow(
      'is not the id of a generation',
    );
  });
});

describe("an environment's database", () => {
  const environment = (database: string) =>
    parseEnvironment(
      `{ name: dev, branch: dev, listen: 127.0.0.1:0, commands: { start: x } ${database} }`,
      'environments/dev.yaml',
    );

  test('may be absent', () => {
    expect(openGenerations(home, environment(''))).toBeNull();
  });

  test('is SQLite by its file', async () => {
    const opened = openGenerations(home, environment(', database: { client: better-sqlite3, file: x.db }'));
    const generation = await opened?.create();
    expect(generation && fileOf(generation)).toMatch(/\/data\/dev\/g[\d-]+\/x\.db$/);
  });

  test('is not PostgreSQL yet, and says so', () => {
    expect(() =>
      openGenerations(home, environment(', database: { client: pg, url-from: DATABASE_URL }')),
    ).toThrow('environments/dev.yaml: database.client: pg is not available yet');
  });
});
