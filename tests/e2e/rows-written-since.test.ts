import { afterEach, expect, it } from 'vitest';
import { Stage } from '../kit/daemon.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

/** A rehearsal can make no such row up. */
const REMARKS = `CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL CHECK (text GLOB 'note: *!'))`;
/** What is written to the remarks is gone after its down. */
const lossy = (remarks: string): SampleMigration => ({
  up: [remarks, 'INSERT INTO remarks SELECT * FROM notes', 'DROP TABLE notes'],
  down: ['CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)', 'DROP TABLE remarks'],
  touches: ['notes', 'remarks'],
});

let stage: Stage;
afterEach(() => stage.strike());

async function set(more: object = {}): Promise<void> {
  stage = await Stage.set(more);
  await stage.start();
  await stage.allLive();
}

async function pushed(migration: SampleMigration, version: Parameters<typeof behaviour>[0]) {
  const commit = await stage.push('dev', 'A migration', {
    'migrations/002_try.json': JSON.stringify(migration),
    'behaviour.json': behaviour(version),
  });
  return commit;
}

const deployed = async (migration: SampleMigration, table: string) =>
  stage.ended('dev', await pushed(migration, { version: 'two', table }));

const rollback = async (more: object = {}) =>
  stage.outcome(
    await stage.daemon.operations.rollback({
      environment: 'dev',
      target: { last: true },
      by: 'alice',
      ...more,
    }),
  );

it('a down that would lose them is no way back, although there are no rows yet', async () => {
  await set({ migrations: { 'require-reversible': true } });
  const plain = 'CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)';
  expect(await deployed(lossy(plain), 'remarks')).toMatchObject({
    outcome: 'rejected',
    cause: expect.stringContaining(
      'the way back is not there: the down of 002_try loses rows written after it: a row written to remarks was gone',
    ) as string,
  });
});

it('a rollback that would lose them is refused and says how many, where it could not be tried before', async () => {
  await set({ migrations: { 'require-reversible': true }, backups: { 'before-deploy': true } });
  const deployment = await deployed(lossy(REMARKS), 'remarks');
  expect(deployment).toMatchObject({ outcome: 'deployed' });
  expect(deployment.suites.find(({ name }) => name === 'rehearsal')?.checks[0]?.actual).toBe(
    'by down schema and data come back, but it could not be tried whether rows written since stay, in remarks',
  );
  await stage.post('dev', 'note: one!');
  await stage.post('dev', 'note: two!');
  expect(await rollback()).toMatchObject({
    outcome: 'refused',
    cause: expect.stringMatching(
      /^the migrations cannot be taken back: the down of 002_try would lose 2 rows of remarks; --restore-backup /,
    ) as string,
  });
  expect(await stage.get('dev')).toMatchObject({ body: { version: 'two' } });
  expect((await stage.get('dev', '/notes')).body).toHaveLength(2);
  expect(await stage.post('dev', 'note: three!')).toBe(201);
  expect(await rollback({ restoreBackup: true })).toMatchObject({ outcome: 'ok' });
});

it('a release that fails once it is live stays, where taking it back would lose them', async () => {
  await set({ cutover: { hold: '20s', settle: '20s' } });
  const commit = await pushed(lossy(REMARKS), { version: 'two', table: 'remarks', crashLater: true });
  const { operations } = stage.daemon;
  await expect.poll(async () => (await operations.environment('dev')).live?.commit).toBe(commit);
  expect(await stage.post('dev', 'note: one!')).toBe(201);
  await stage.get('dev', '/crash-later').catch(() => undefined);
  const deployment = await stage.ended('dev', commit);
  expect(deployment).toMatchObject({
    outcome: 'needs_attention',
    cause: expect.stringMatching(
      /; taking back failed: the migrations cannot be taken back: the down of 002_try would lose 1 row of remarks; --restore-backup /,
    ) as string,
  });
  await expect
    .poll(async () => (await stage.get('dev', '/notes').catch(() => null))?.body)
    .toEqual([{ id: 1, text: 'note: one!' }]);
  expect((await operations.environment('dev')).live?.commit).toBe(commit);
});

it.each([
  [
    'up itself had added',
    {
      up: [
        'ALTER TABLE notes RENAME TO remarks',
        "INSERT INTO remarks VALUES (101, 'a note of ours'), (102, 'another')",
      ],
      down: ['DELETE FROM remarks WHERE id IN (101, 102)', 'ALTER TABLE remarks RENAME TO notes'],
      touches: ['remarks', 'notes'],
    },
    'remarks',
    ['before', 'after'],
  ],
  [
    'the new release wrote to a table that is wholly new',
    {
      up: [
        'ALTER TABLE notes RENAME TO kept',
        'CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
      ],
      down: ['DROP TABLE remarks', 'ALTER TABLE kept RENAME TO notes'],
      touches: ['remarks', 'notes', 'kept'],
    },
    'remarks',
    ['before'],
  ],
])('a rollback is made where all that goes is what %s', async (_what, migration, table, left) => {
  await set({ migrations: { 'require-reversible': true } });
  await stage.post('dev', 'before');
  expect(await deployed(migration, table)).toMatchObject({ outcome: 'deployed', cause: null });
  expect(await stage.post('dev', 'after')).toBe(201);
  expect(await rollback()).toMatchObject({ outcome: 'ok', cause: null });
  expect((await stage.get('dev', '/notes')).body).toMatchObject(left.map((text) => ({ text })));
});
