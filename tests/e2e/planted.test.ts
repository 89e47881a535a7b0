import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

/** A table with everything that can differ in it, and in which nobody has any business. */
const KEPT: SampleMigration = {
  up: [
    'CREATE TABLE kept (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE, size)',
    'CREATE INDEX kept_by_name ON kept (name)',
    'CREATE TRIGGER kept_named AFTER INSERT ON kept BEGIN SELECT 1; END',
    ...['Ann', 'Bob', 'Cid', 'Dan'].map((name) => `INSERT INTO kept (name, size) VALUES ('${name}', 1)`),
  ],
  down: ['DROP TABLE kept'],
  touches: ['kept'],
};
const EXTRA = { up: 'CREATE TABLE extra (x)', down: 'DROP TABLE extra' };

const PLANTED: [what: string, sql: string, sentence: string][] = [
  ['a row', 'UPDATE kept SET size = 2 WHERE id = 2', 'kept: 1 row changed (key 2)'],
  ['a type', 'UPDATE kept SET size = 1.0', 'kept: 4 rows changed (keys 1, 2, 3, …)'],
  ['a case', "UPDATE kept SET name = 'ANN' WHERE id = 1", 'kept: 1 row changed (key 1)'],
  ['a deleted row', 'DELETE FROM kept WHERE id = 4', 'kept: 1 row removed (key 4)'],
  ['an extra row', "INSERT INTO kept (id, name) VALUES (-1, 'Eve')", 'kept: 1 row added (key -1)'],
  ['an index', 'DROP INDEX kept_by_name', 'kept: the index kept_by_name was dropped'],
  ['a trigger', 'DROP TRIGGER kept_named', 'kept: the trigger kept_named was dropped'],
  ['a sequence', 'UPDATE sqlite_sequence SET seq = 9', 'kept: its sequence went from 4 to 9'],
];

describe('a difference that nobody asked for', () => {
  const stage = liveForAll(
    { migrations: { 'require-reversible': true } },
    { files: { 'migrations/002_kept.json': JSON.stringify(KEPT), 'environments/prod.yaml': null } },
  );

  const causeOf = async (message: string, files: Record<string, string>) => {
    const { outcome, cause } = await stage.ended('dev', await stage.push('dev', message, files));
    await stage.repository.git('reset', '-q', '--hard', 'HEAD~1');
    expect(outcome).toBe('rejected');
    return cause;
  };
  const migrated = (migration: SampleMigration) =>
    causeOf('A migration', { 'migrations/003_try.json': JSON.stringify(migration) });

  it.each(PLANTED)('in %s is found where a migration made it', async (_what, sql, sentence) => {
    const touches = ['extra'];
    expect(await migrated({ up: [EXTRA.up, sql], down: [EXTRA.down], touches })).toBe(
      `integrity: ${sentence} by the migration 003_try, which does not name kept in touches`,
    );
  });

  it.each(PLANTED)('in %s is found where its way back made it', async (_what, sql, sentence) => {
    const touches = ['extra'];
    expect(await migrated({ up: [EXTRA.up], down: [EXTRA.down, sql], touches })).toContain(
      `the way back is not there: the down of 003_try failed: integrity: ${sentence} by the migration 003_try`,
    );
  });

  it.each(PLANTED)('in %s is found where the start of the release made it', async (_what, sql, sentence) => {
    const files = { 'behaviour.json': behaviour({ version: 'two', startSql: sql }) };
    expect(await causeOf('A start', files)).toBe(
      `integrity: the data was changed by the start of server.mjs: ${sentence}, expected no change`,
    );
  });

  it.each(PLANTED)(
    'in %s is found where the start of the release made it beside a migration',
    async (_what, sql, sentence) => {
      const files = {
        'behaviour.json': behaviour({ version: 'two', startSql: sql }),
        'migrations/003_try.json': JSON.stringify({ up: [EXTRA.up], down: [EXTRA.down], touches: ['extra'] }),
      };
      expect(await causeOf('A start', files)).toContain(`changed by the start of server.mjs: ${sentence}`);
    },
  );

  const EXTRA_TABLE = JSON.stringify({ up: [EXTRA.up], down: [EXTRA.down], touches: ['extra'] });
  const kept = () => {
    using database = new DatabaseSync(join(stage.home, 'data', 'dev', 'current', 'notes.db'));
    return database.prepare('SELECT size FROM kept WHERE id = 2').get();
  };

  it('is found where only the start on the very data that is to be live made it', async () => {
    const slotSql = 'UPDATE kept SET size = 2 WHERE id = 2';
    const files = { 'behaviour.json': behaviour({ version: 'two', slotSql }) };
    expect(await causeOf('A start', { ...files, 'migrations/003_try.json': EXTRA_TABLE })).toBe(
      'integrity: the data was changed by the start of server.mjs: kept: 1 row changed (key 2), expected no change',
    );
    expect(kept()).toEqual({ size: 1 });
  });
});
