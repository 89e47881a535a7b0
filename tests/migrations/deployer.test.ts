import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { expect, it, onTestFinished } from 'vitest';
import { openState } from '../../deployer/state.ts';

const TABLES = [
  'audit',
  'deployments',
  'environments',
  'events',
  'instances',
  'locks',
  'outbox',
  'quarantine',
  'stages',
  'suites',
];

async function opened(): Promise<Knex> {
  const home = mkdtempSync(join(tmpdir(), 'state-'));
  const state = await openState({ home, databaseUrl: null });
  onTestFinished(async () => {
    await state.destroy();
    rmSync(home, { recursive: true, force: true });
  });
  return state;
}

async function schema(state: Knex): Promise<{ name: string; sql: string | null }[]> {
  return state('sqlite_master')
    .where('name', 'not like', 'sqlite_%')
    .where('name', 'not like', 'knex_%')
    .orderBy('name')
    .select('name', 'sql');
}

async function tables(state: Knex): Promise<string[]> {
  const rows: { name: string }[] = await state('sqlite_master')
    .where({ type: 'table' })
    .where('name', 'not like', 'sqlite_%')
    .where('name', 'not like', 'knex_%')
    .orderBy('name')
    .select('name');
  return rows.map(({ name }) => name);
}

const deployment = (id: string) => ({
  id,
  kind: 'deploy',
  environment: 'dev',
  branch: 'dev',
  commit: 'c',
  phase: 'waiting',
  requested_by: 'me',
  requested_at: 'now',
  automatic: true,
  request: '{}',
});

it('makes every table of the deployer, takes all back, and makes the same again', async () => {
  const state = await opened();
  expect(await tables(state)).toEqual(TABLES);
  const before = await schema(state);
  await state.migrate.rollback(undefined, true);
  expect(await tables(state)).toEqual([]);
  await state.migrate.latest();
  expect(await schema(state)).toEqual(before);
});

it('keeps the processes that it knows when their handle becomes one value, and loses but units on the way back', async () => {
  const state = await opened();
  const migration = { name: '20261121140000_instance_handles.ts' };
  await state.migrate.down(migration);
  const instance = { environment: 'dev', deployment_id: 'one' };
  await state('instances').insert({ ...instance, slot: 'blue', pid: 7, start_time: '42' });
  await state.migrate.up(migration);
  const blue = { ...instance, slot: 'blue', handle: '{"pid":7,"startTime":"42"}' };
  expect(await state('instances')).toEqual([blue]);
  await state('instances').insert({ ...instance, slot: 'green', handle: '{"unit":"u","start":"s"}' });
  await state.migrate.down(migration);
  expect(await state('instances')).toEqual([{ ...instance, slot: 'blue', pid: 7, start_time: '42' }]);
});

it('takes a delivery, a lock and a quarantine only once', async () => {
  const state = await opened();
  const event = { delivery: 'a', name: 'push', payload: '{}', received_at: 'now' };
  await state('events').insert(event);
  await expect(state('events').insert(event)).rejects.toThrow(/UNIQUE/);
  const lock = { environment: 'dev', reason: 'r', holder: 'h', since: 'now' };
  await state('locks').insert(lock);
  await expect(state('locks').insert(lock)).rejects.toThrow(/UNIQUE/);
  const quarantine = { environment: 'dev', commit: 'c', deployment_id: 'd', since: 'now' };
  await state('quarantine').insert(quarantine);
  await expect(state('quarantine').insert(quarantine)).rejects.toThrow(/UNIQUE/);
});

it('numbers deployments in order and keeps their stages with them', async () => {
  const state = await opened();
  await state('deployments').insert([deployment('one'), deployment('two')]);
  expect(await state('deployments').orderBy('seq').select('id', 'attempts')).toEqual([
    { id: 'one', attempts: 0 },
    { id: 'two', attempts: 0 },
  ]);
  const stage = { deployment_id: 'one', position: 0, name: 'preflight', state: 'waiting' };
  await state('stages').insert(stage);
  await expect(state('stages').insert({ ...stage, deployment_id: 'three' })).rejects.toThrow(/FOREIGN KEY/);
  await state('deployments').where({ id: 'one' }).delete();
  expect(await state('stages').select()).toEqual([]);
});

it.each(['update', 'delete'] as const)('keeps the audit trail append-only: no %s', async (action) => {
  const state = await opened();
  await state('audit').insert({ at: 'now', actor: 'alice', action: 'locked', detail: 'a reason' });
  const attempt = action === 'update' ? state('audit').update({ actor: 'bob' }) : state('audit').delete();
  await expect(attempt).rejects.toThrow('the audit trail is append-only');
});
