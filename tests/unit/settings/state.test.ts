import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openState } from '../../../deployer/state.ts';
import { scratch, scratchState } from '../scratch.ts';

it('makes the home for its owner alone, and the state in it', async () => {
  const home = join(scratch(), 'a', 'home');
  const state = await scratchState(home);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(await state('deployments').select()).toEqual([]);
});

it('keeps what was stored over a restart', async () => {
  const home = scratch();
  const first = await openState({ home, databaseUrl: null });
  await first('locks').insert({ environment: 'dev', reason: 'r', holder: 'h', since: 's' });
  await first.destroy();
  const second = await scratchState(home);
  expect(await second('locks').select('environment')).toEqual([{ environment: 'dev' }]);
});

it('writes through to the disk before it acknowledges', async () => {
  const state = await scratchState();
  const pragma = async (name: string) => Object.values((await state.raw(`PRAGMA ${name}`))[0]);
  expect(await pragma('journal_mode')).toEqual(['wal']);
  expect(await pragma('synchronous')).toEqual([2]);
  expect(await pragma('foreign_keys')).toEqual([1]);
});

it('opens although an earlier process was killed while it migrated', async () => {
  const home = scratch();
  const killed = await openState({ home, databaseUrl: null });
  await killed.migrate.rollback();
  await killed('knex_migrations_lock').update({ is_locked: 1 });
  await killed.destroy();
  const state = await scratchState(home);
  expect(await state('events').select()).toEqual([]);
});

it('says what is wrong with a state that is none, and leaves nothing open', async () => {
  const home = scratch();
  writeFileSync(join(home, 'state.sqlite'), 'this is not a database, but long enough to look like a file');
  await expect(openState({ home, databaseUrl: null })).rejects.toThrow(/not a database/);
});

it('does not wait for ever for a database that is not there', async () => {
  const databaseUrl = 'postgres://nobody@127.0.0.1:1/deployer';
  await expect(openState({ home: scratch(), databaseUrl })).rejects.toThrow(/ECONNREFUSED/);
});
