import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { lockDatabase } from '../../../deployer/data/sqlite/lock.ts';
import { kill, startProgram } from './child.ts';
import { makeDatabase, sql, temporaryDirectory } from './fixture.ts';

const directory = temporaryDirectory();
let file: string;
let number = 0;
beforeEach(() => {
  file = join(directory, `${++number}.db`);
  makeDatabase(file);
});

/** A process that tries to write without waiting for anybody, and says what came of it. */
const writeElsewhere = () =>
  startProgram(`
    import Database from 'better-sqlite3';
    const database = new Database(${JSON.stringify(file)}, { timeout: 0 });
    try { database.exec("INSERT INTO untyped VALUES ('elsewhere')"); console.log('written'); }
    catch (error) { console.log(error.code); }
  `).nextLine();

/** A process that keeps the write lock until it is killed. */
async function lockElsewhere() {
  const { child, nextLine } = startProgram(`
    import { lockDatabase } from '../../../deployer/data/sqlite/lock.ts';
    await lockDatabase(${JSON.stringify(file)}, 'dev', 1000);
    console.log('locked');
    setInterval(() => {}, 1000);
  `);
  expect(await nextLine()).toBe('locked');
  return child;
}

describe('the write lock', () => {
  test("keeps another process's writer out until it is released", async () => {
    const lock = await lockDatabase(file, 'dev', 1000);
    expect(await writeElsewhere()).toBe('SQLITE_BUSY');
    expect(lock.unchanged()).toBe(true);
    lock.release();
    expect(await writeElsewhere()).toBe('written');
    lock.release();
    expect(lock.unchanged()).toBe(false);
  });

  test('that was lost is found out: the database is not unchanged once somebody has written', async () => {
    const lock = await lockDatabase(file, 'dev', 1000);
    // POSIX drops all locks of a process on a file when it closes any descriptor of that file.
    closeSync(openSync(`${file}-shm`, 'r'));
    expect(await writeElsewhere()).toBe('written');
    expect(lock.unchanged()).toBe(false);
    lock.release();
  });

  test('lets readers read', async () => {
    const lock = await lockDatabase(file, 'dev', 1000);
    expect(() => sql(file, 'SELECT count(*) FROM users')).not.toThrow();
    lock.release();
  });

  test('says who waits for what when somebody else keeps it, without blocking the event loop', async () => {
    await lockElsewhere();
    const ticks = wait(1).then(() => 'ticked');
    const locked = lockDatabase(file, 'dev', 300).then(
      () => 'locked',
      (error: unknown) => error,
    );
    expect(await Promise.race([locked, ticks])).toBe('ticked');
    const error = await locked;
    expect(error).toMatchObject({
      name: 'FailedError',
      message: 'the database of dev is locked by another process for more than 0.3 s',
    });
  });

  test('is gone when its process is killed', async () => {
    const child = await lockElsewhere();
    const waiting = lockDatabase(file, 'dev', 10_000);
    await kill(child);
    const lock = await waiting;
    expect(lock.unchanged()).toBe(true);
    lock.release();
  });

  test('is not taken for a database that is not there', async () => {
    await expect(lockDatabase(join(directory, 'none.db'), 'dev', 10)).rejects.toThrow(
      `cannot open the database of dev at ${join(directory, 'none.db')}`,
    );
  });
});
