import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tableDigester } from '../../../verify/digest.ts';
import { openReader, type Reader } from '../../../verify/database/reader.ts';
import { scene, makes } from '../../migrations/fixture.ts';

/** A server on which a database may be made: `npm run test:postgres` names one. */
const server = process.env['TEST_DATABASE_URL'];

describe.skipIf(server === undefined)('on PostgreSQL', () => {
  const name = `verify_${process.pid}`;
  let url = '';

  async function administer(sql: string): Promise<void> {
    const client = new Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
  beforeAll(async () => {
    await administer(`create database ${name}`);
    const target = new URL(server ?? '');
    target.pathname = `/${name}`;
    url = target.href;
  });
  afterAll(() => administer(`drop database ${name} with (force)`));

  async function write(sql: string): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
  async function read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const reader = await openReader({ client: 'postgres', url });
    try {
      return await work(reader);
    } finally {
      await reader.close();
    }
  }

  test('migrations go up and down, each in its own transaction', async () => {
    const { raw } = scene({
      '001_a': makes('a'),
      '002_b': makes('b').replace(
        "await knex.schema.createTable('b'",
        "await knex('a').insert({ name: 'x' }); await knex('nowhere').insert({}); await knex.schema.createTable('b'",
      ),
    });
    const run = async (...words: string[]) =>
      JSON.parse((await raw([...words, '--json'], { DATABASE_URL: url })).stdout);
    expect(await run('status')).toMatchObject({ success: true, applied: [], pending: ['001_a', '002_b'] });
    expect(await run('up')).toMatchObject({
      success: false,
      applied: ['001_a'],
      pending: ['002_b'],
      error: { migration: '002_b', message: expect.stringContaining('"nowhere" does not exist') },
    });
    expect(await read((reader) => reader.all('select * from a'))).toEqual([]);
    expect(await run('down', '--to', 'none')).toMatchObject({ success: true, applied: [] });
  });

  test('the keys of a table are read', async () => {
    await write(`create table parent (id integer, line integer, state text check (state in ('x')), primary key (id, line));
      create table child (id integer primary key, parent_id integer, line integer unique,
        foreign key (parent_id, line) references parent (id, line));
      create unique index child_some on child (parent_id) where line is null`);
    await read(async (reader) => {
      expect(await reader.tables()).toEqual(expect.arrayContaining(['child', 'parent']));
      const child = await reader.keys('child');
      expect(child.unique.sort()).toEqual(['id', 'line', 'parent_id']);
      expect(child.foreign).toEqual(['parent_id,line>parent']);
      const parent = await reader.keys('parent');
      expect(parent.unique).toEqual(['id,line']);
      expect(parent.checks).toContain('state');
    });
  });

  test('a digest is over what PostgreSQL writes, by cursor, whatever the order', async () => {
    await write(`create table numbers (id integer, name text, flag boolean);
      insert into numbers select n, 'name ' || n, n % 2 = 0 from generate_series(1, 4500) n;
      insert into numbers values (null, null, null)`);
    const digester = tableDigester();
    for (let n = 4500; n > 0; n--) digester.add([String(n), `name ${n}`, n % 2 === 0 ? 'true' : 'false']);
    digester.add([null, null, null]);
    const [first, second] = await read((reader) =>
      Promise.all([reader.digest('numbers'), reader.digest('numbers')]),
    );
    expect(first).toEqual(digester.finish());
    expect(second).toEqual(first);
    await write("update numbers set name = 'Name 7' where id = 7");
    expect((await read((reader) => reader.digest('numbers'))).digest).not.toBe(first.digest);
  });

  test('a constraint that was never validated is found, and nothing can be written', async () => {
    await read(async (reader) => {
      expect((await reader.soundness(false)).filter(({ success }) => !success)).toEqual([]);
      await expect(reader.all('delete from numbers')).rejects.toThrow('read-only transaction');
    });
    await write('alter table numbers add constraint positive check (id > 0) not valid');
    const checks = await read((reader) => reader.soundness(false));
    expect(
      checks.filter(({ success }) => !success).map(({ name: subject, actual }) => `${subject} ${actual}`),
    ).toEqual(['the constraints hold positive of numbers, which was never validated']);
  });
});
