import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import Database from 'better-sqlite3';
import { createBackup, type Backup, type CreateOptions } from '../../../backups/create.ts';
import { makeDatabase } from '../data/fixture.ts';

export const never = new AbortController().signal;

/** A live database and files below `root`, and what a backup of them takes. */
export function makeSource(root: string): CreateOptions {
  mkdirSync(join(root, 'files', 'sub'), { recursive: true });
  writeFileSync(join(root, 'files', 'one.txt'), 'one');
  writeFileSync(join(root, 'files', 'sub', '@two with "odd" name'), Buffer.alloc(50_000, 'two'));
  symlinkSync('one.txt', join(root, 'files', 'link'));
  makeDatabase(join(root, 'live.db'));
  return {
    directory: join(root, 'backups'),
    databaseFile: join(root, 'live.db'),
    filesDirectory: join(root, 'files'),
    kind: 'full',
    config: { name: 'dev' },
    gitTag: 'commit abc\ntree def\n',
    schemaVersion: '20261101_first',
    now: new Date('2026-11-20T07:08:09.123Z'),
  };
}

export const backupAt = (source: CreateOptions, time: string, kind: Backup['kind'] = 'full') =>
  createBackup({ ...source, kind, now: new Date(time) }, never);

/** Numbers from 0 to 1 that are the same in each run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whether the machine has its own `zstd`, `sqlite3` or `tar`. */
export const hasStock = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));

/** Runs a program of the machine; `input` is its standard input. */
export const stock = (program: string, argv: string[], input = ''): string =>
  execFileSync(program, argv, { input, encoding: 'utf8' });

/** Makes a database from SQL text, with the machine's own sqlite3 where it has one. */
export function readSql(file: string, text: string): void {
  if (hasStock('sqlite3')) {
    stock('sqlite3', ['-bail', file], text);
    return;
  }
  const database = new Database(file);
  database.unsafeMode();
  database.exec(text);
  database.close();
}
