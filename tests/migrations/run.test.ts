import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { makes, scene } from './fixture.ts';

const three = { '001_a': makes('a'), '002_b': makes('b'), '003_c': makes('c') };

describe('status', () => {
  test('says that everything is pending when the database does not exist, and does not create it', async () => {
    const { run, file } = scene(three);
    expect(await run('status')).toEqual({
      exitCode: 0,
      success: true,
      applied: [],
      pending: ['001_a', '002_b', '003_c'],
      ran: [],
      error: null,
    });
    expect(existsSync(file)).toBe(false);
  });

  test('changes nothing in a database that another connection is writing to', async () => {
    const { run, file } = scene(three);
    await run('up', '--to', '001_a');
    const other = new Database(file);
    other.exec("begin immediate; insert into a (name) values ('kept')");
    const before = other.pragma('data_version', { simple: true });
    expect(await run('status')).toMatchObject({ applied: ['001_a'], pending: ['002_b', '003_c'] });
    other.exec('commit');
    expect(other.pragma('data_version', { simple: true })).toBe(before);
    other.close();
  });

  test('lists an applied migration that the tree does not know and says so; up and down refuse', async () => {
    const { run, raw, file } = scene(three);
    await run('up', '--to', '001_a');
    const database = new Database(file);
    database.exec("insert into knex_migrations (name, batch) values ('009_future', 9)");
    database.close();
    const { exitCode, stdout, stderr } = await raw(['status', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      applied: ['001_a', '009_future'],
      pending: ['002_b', '003_c'],
      error: null,
    });
    expect(stderr).toContain('009_future is applied to the database, but this tree does not have it');
    for (const verb of ['up', 'down']) {
      expect(await run(verb)).toMatchObject({
        exitCode: 1,
        applied: ['001_a', '009_future'],
        ran: [],
        error: { migration: '009_future', message: expect.stringContaining('this tree does not have it') },
      });
    }
  });

  test('reports a file that is no database', async () => {
    const { raw, write, home } = scene(three);
    write('no-database', 'x'.repeat(5000));
    const env = { DATABASE_FILE: path.join(home, 'no-database.ts') };
    const { exitCode, stdout } = await raw(['status', '--json'], env);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { message: 'file is not a database' } });
  });
});

describe('up and down', () => {
  test('up applies everything pending, in order, and says what it ran', async () => {
    const { run, rows } = scene(three);
    const report = await run('up');
    expect(report).toMatchObject({
      exitCode: 0,
      success: true,
      applied: ['001_a', '002_b', '003_c'],
      pending: [],
    });
    expect(report.ran.map(({ name, touches, reversible }) => ({ name, touches, reversible }))).toEqual([
      { name: '001_a', touches: ['a'], reversible: true },
      { name: '002_b', touches: ['b'], reversible: true },
      { name: '003_c', touches: ['c'], reversible: true },
    ]);
    expect(report.ran.every(({ durationMs }) => Number.isInteger(durationMs))).toBe(true);
    expect(rows('select name, batch from knex_migrations order by id')).toHaveLength(3);
    expect(rows('pragma journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  test('up again has nothing to run', async () => {
    const { run } = scene(three);
    await run('up');
    expect(await run('up')).toMatchObject({ exitCode: 0, ran: [], pending: [] });
  });

  test('up --to stops at the one that is named', async () => {
    const { run } = scene(three);
    expect(await run('up', '--to', '002_b')).toMatchObject({
      applied: ['001_a', '002_b'],
      pending: ['003_c'],
    });
  });

  test('down takes back exactly one, the newest', async () => {
    const { run, rows } = scene(three);
    await run('up');
    expect(await run('down')).toMatchObject({ ran: [{ name: '003_c' }], applied: ['001_a', '002_b'] });
    expect(rows("select name from sqlite_master where name = 'c'")).toEqual([]);
  });

  test('down --to takes back everything newer, down --to none everything', async () => {
    const { run } = scene(three);
    await run('up');
    expect(await run('down', '--to', '001_a')).toMatchObject({
      applied: ['001_a'],
      pending: ['002_b', '003_c'],
    });
    expect(await run('down', '--to', 'none')).toMatchObject({ applied: [], exitCode: 0 });
    expect(await run('down')).toMatchObject({ ran: [], exitCode: 0 });
  });

  test('an unknown name is an error that lists what exists', async () => {
    const { run } = scene(three);
    const { exitCode, error } = await run('up', '--to', '004_d');
    expect(exitCode).toBe(1);
    expect(error).toEqual({
      migration: '004_d',
      message: 'does not exist; there are: 001_a, 002_b, 003_c',
      location: null,
    });
  });

  test('up does not take back, and down does not apply', async () => {
    const { run } = scene(three);
    await run('up', '--to', '002_b');
    expect(await run('up', '--to', '001_a')).toMatchObject({ exitCode: 1, applied: ['001_a', '002_b'] });
    expect(await run('up', '--to', 'none')).toMatchObject({ exitCode: 1, applied: ['001_a', '002_b'] });
    expect(await run('down', '--to', '003_c')).toMatchObject({ exitCode: 1, applied: ['001_a', '002_b'] });
  });

  test('a migration that arrives late, between applied ones, is pending and is applied', async () => {
    const { run, write } = scene({ '001_a': makes('a'), '003_c': makes('c') });
    await run('up');
    write('002_b', makes('b'));
    expect(await run('up')).toMatchObject({ ran: [{ name: '002_b' }], applied: ['001_a', '002_b', '003_c'] });
  });
});

describe('a failing migration', () => {
  const broken = `export const touches = [];
export async function up(knex) {
  await knex.schema.createTable('half', (t) => t.increments('id'));
  await knex('no_such_table').insert({ id: 1 });
}
`;

  test('is undone, stops the rest, and is located to its line', async () => {
    const { run, rows, home } = scene({ ...three, '002_b': broken });
    const report = await run('up');
    expect(report).toMatchObject({
      exitCode: 1,
      success: false,
      applied: ['001_a'],
      pending: ['002_b', '003_c'],
    });
    expect(report.ran.map(({ name }) => name)).toEqual(['001_a']);
    expect(report.error).toEqual({
      migration: '002_b',
      message: expect.stringContaining('no such table: no_such_table'),
      location: `${path.join(home, '002_b.ts')}:4`,
    });
    expect(rows("select name from sqlite_master where name = 'half'")).toEqual([]);
  });

  test('leaves the database migrated when its way back fails', async () => {
    const failing = makes('a').replace("dropTable('a')", "dropTable('a'); throw new Error('no way back')");
    const { run, rows } = scene({ '001_a': failing });
    await run('up');
    expect(await run('down')).toMatchObject({
      exitCode: 1,
      applied: ['001_a'],
      error: { message: 'no way back' },
    });
    expect(rows("select name from sqlite_master where name = 'a'")).toHaveLength(1);
  });

  test('without a down is run as irreversible and refuses to be taken back', async () => {
    const { run } = scene({ '001_a': makes('a').replace(/export async function down.*/, '') });
    expect(await run('up')).toMatchObject({ ran: [{ reversible: false }] });
    expect(await run('down')).toMatchObject({
      exitCode: 1,
      applied: ['001_a'],
      error: { migration: '001_a', message: 'has no "down": it cannot be taken back' },
    });
  });

  test.for([
    ['has no up', 'export const touches = [];', 'exports no function "up"'],
    ['has no touches', 'export async function up() {}', 'exports no "touches"'],
    ['has a down that is no function', `${broken}export const down = 1;`, '"down" is not a function'],
    ['does not load', 'throw new Error("oh");', 'does not load: oh'],
  ])('that %s stops before anything ran', async ([, text, message]) => {
    const { run } = scene({ '001_a': makes('a'), '002_b': text ?? '' });
    const { exitCode, error, applied, ran } = await run('up');
    expect({ exitCode, applied, ran }).toEqual({ exitCode: 1, applied: [], ran: [] });
    expect(error?.message).toContain(message);
  });
});

describe('foreign keys', () => {
  const family = `export const touches = ['parent', 'child'];
export async function up(knex) {
  await knex.schema.createTable('parent', (t) => { t.increments('id'); t.string('name'); t.string('extra'); });
  await knex.schema.createTable('child', (t) => {
    t.increments('id');
    t.integer('parent_id').notNullable().references('id').inTable('parent').onDelete('CASCADE');
  });
  await knex('parent').insert([{ name: 'p1' }, { name: 'p2' }]);
  await knex('child').insert([{ parent_id: 1 }, { parent_id: 2 }]);
}
`;

  test.for([
    ['drops a column', "await knex.schema.alterTable('parent', (t) => t.dropColumn('extra'));"],
    ['makes a column mandatory', "await knex.schema.alterTable('parent', (t) => t.dropNullable('name'));"],
    [
      'rebuilds by hand',
      `await knex.raw('create table p2 (id integer primary key, name text)');
       await knex.raw('insert into p2 select id, name from parent');
       await knex.raw('drop table parent');
       await knex.raw('alter table p2 rename to parent');`,
    ],
  ])('a migration that %s of a table keeps the rows that refer to it', async ([, statements]) => {
    const rebuild = `export const touches = [];\nexport async function up(knex) { ${statements} }\n`;
    const { run, rows } = scene({ '001_family': family, '002_rebuild': rebuild });
    expect(await run('up')).toMatchObject({ error: null, applied: ['001_family', '002_rebuild'] });
    expect(rows('select parent_id from child order by id')).toEqual([{ parent_id: 1 }, { parent_id: 2 }]);
    expect(rows("select * from pragma_foreign_key_list('child')")).toMatchObject([{ table: 'parent' }]);
  });

  test('a migration that leaves rows referring to nothing is refused with the table', async () => {
    const orphan = `export const touches = [];\nexport async function up(knex) { await knex('parent').where({ id: 1 }).delete(); }\n`;
    const { run, rows } = scene({ '001_family': family, '002_orphan': orphan });
    const { error, applied } = await run('up');
    expect(applied).toEqual(['001_family']);
    expect(error?.message).toContain('1 row(s) that refer to nothing, the first in child to parent');
    expect(rows('select id from parent')).toHaveLength(2);
  });
});

describe('the command line', () => {
  test.for([
    [[], {}],
    [['sideways'], {}],
    [['up', 'down'], {}],
    [['up', '--fast'], {}],
    [['status', '--to', 'none'], {}],
    [['status'], { DATABASE_FILE: '' }],
    [['status'], { DATABASE_URL: 'postgres://x' }],
    [['status'], { DATABASE_FILE: '', DATABASE_URL: 'mysql://x' }],
  ] as [string[], NodeJS.ProcessEnv][])(
    'refuses %j with %j: exit 2 and nothing on stdout',
    async ([words, env]) => {
      const { raw, file } = scene(three);
      const { exitCode, stdout, stderr } = await raw(words, { DATABASE_FILE: file, ...env });
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toMatch(/^migrate: .+\n\nusage: /);
    },
  );

  test('an unreachable PostgreSQL is a reported failure', async () => {
    const { raw } = scene(three);
    const { exitCode, stdout } = await raw(['status', '--json'], {
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
    });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      success: false,
      error: { message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  test('without --json a person gets one line a migration', async () => {
    const { raw } = scene({ '001_a': makes('a'), '002_b': 'throw new Error("oh");' });
    expect((await raw(['up', '--to', '001_a'])).stdout).toMatch(
      /^applied {2}001_a\npending {2}002_b\nran {6}001_a \(\d+ ms; touches a\)\n$/,
    );
    expect((await raw(['up'])).stdout).toMatch(/failed {3}002_b: does not load: oh \(.+002_b\.ts.*\)\n$/);
  });

  test('the program itself prints one JSON object and exits as it says', () => {
    const { home, file } = scene({
      '001_a': makes('a'),
      '002_b': 'export const touches = [];\n\nexport function up() { oh( }',
    });
    const program = path.join(import.meta.dirname, '../../migrations/run.ts');
    const run = (...words: string[]) =>
      spawnSync(process.execPath, [program, ...words, '--directory', home, '--json'], {
        env: { ...process.env, DATABASE_FILE: file },
        encoding: 'utf8',
      });
    const up = run('up', '--to', '001_a');
    expect({ status: up.status, report: JSON.parse(up.stdout) }).toMatchObject({
      status: 0,
      report: { applied: ['001_a'] },
    });
    expect(up.stderr).toBe('up 001_a\n');
    const broken = run('up');
    expect(broken.status).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({
      error: { location: `${path.join(home, '002_b.ts')}:3` },
    });
  });
});
