import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { openState } from '../../deployer/state.ts';
import { scratchDatabase } from '../kit/scratch-database.ts';

export const silent = pino({ level: 'silent' });

/** A directory that goes with the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'unit-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The deployer's own state in a fresh home; both go with the test. */
export async function scratchState(home = scratch()): Promise<Knex> {
  const store = await scratchDatabase();
  const state = await openState({ home, databaseUrl: store?.url ?? null });
  onTestFinished(async () => {
    await state.destroy();
    await store?.drop();
  });
  return state;
}

type Change = 'INSERT' | 'UPDATE';

/** From now on the table takes no such change, as on a full disk; returns what ends that. */
export async function fullDisk(
  state: Knex,
  table: string,
  change: Change = 'UPDATE',
): Promise<() => Promise<void>> {
  const { client } = state.client.config;
  const [make, drop] = client === 'pg' ? onPostgres(table, change) : onSqlite(table, change);
  await state.raw(make);
  return async () => void (await state.raw(drop));
}

function onSqlite(table: string, change: Change): [string, string] {
  const fail = `SELECT RAISE(ABORT, 'disk full')`;
  return [
    `CREATE TRIGGER full_disk BEFORE ${change} ON ${table} BEGIN ${fail}; END`,
    'DROP TRIGGER full_disk',
  ];
}

function onPostgres(table: string, change: Change): [string, string] {
  const body = `$$ BEGIN RAISE EXCEPTION 'disk full'; END $$`;
  return [
    `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS ${body};
     CREATE TRIGGER full_disk BEFORE ${change} ON ${table} EXECUTE FUNCTION full_disk()`,
    'DROP FUNCTION full_disk CASCADE',
  ];
}

/** A clock that a test moves on. */
export class Clock {
  #now = Date.parse('2026-11-20T19:00:00Z');
  readonly read = (): Date => new Date(this.#now);

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** The same pseudo-random numbers below 1 in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The error of that kind that was thrown. */
export function thrown<E extends Error>(kind: new (...args: never[]) => E, run: () => unknown): E {
  try {
    run();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`expected a ${kind.name}`);
}
