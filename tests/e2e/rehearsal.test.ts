import { beforeAll, describe, expect, it } from 'vitest';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const COPY = [
  'CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
  'INSERT INTO remarks SELECT * FROM notes',
];

describe('a rehearsal where migrations have to be reversible', () => {
  const stage = liveForAll({ migrations: { 'require-reversible': true } });
  beforeAll(async () => void (await stage.post('dev', 'a note')));

  const pushed = async (migration: SampleMigration, files: Record<string, string> = {}) => {
    const name = 'migrations/002_try.json';
    const commit = await stage.push('dev', 'A migration', { [name]: JSON.stringify(migration), ...files });
    const deployment = await stage.ended('dev', commit);
    if (deployment.outcome !== 'deployed') await stage.repository.git('reset', '-q', '--hard', 'HEAD~1');
    return deployment;
  };

  it.each([
    [
      'has no down',
      { up: ['ALTER TABLE notes ADD COLUMN mood TEXT'], down: null, touches: ['notes'] },
      'rehearsal: the way back is not there: 002_try has no down, expected schema and data come back',
    ],
    [
      'has a down that leaves something behind',
      { up: ['ALTER TABLE notes ADD COLUMN mood TEXT'], down: ['SELECT 1'], touches: ['notes'] },
      'rehearsal: the way back is not there: the down of 002_try does not restore the schema, expected schema and data come back',
    ],
    [
      'has a down that changes what was there',
      {
        up: ['CREATE TABLE moods (id INTEGER PRIMARY KEY)'],
        down: ['DROP TABLE moods', "UPDATE notes SET text = 'x'"],
        touches: ['notes', 'moods'],
      },
      'rehearsal: the way back is not there: the down of 002_try does not restore the data of notes, expected schema and data come back',
    ],
    [
      'fails in its down',
      {
        up: ['CREATE TABLE moods (id INTEGER PRIMARY KEY)'],
        down: ['DROP TABLE nowhere'],
        touches: ['moods'],
      },
      'rehearsal: the way back is not there: the down of 002_try failed: migrations/002_try.json:1: no such table: nowhere, expected schema and data come back',
    ],
    [
      'changes a table that it does not name',
      {
        up: ['ALTER TABLE notes ADD COLUMN mood TEXT'],
        down: ['ALTER TABLE notes DROP COLUMN mood'],
        touches: [],
      },
      /^integrity: notes: the table notes is defined differently: column mood added by the migration 002_try, which does not name notes in touches$/,
    ],
  ] as const)('rejects a migration that %s', async (_what, migration, cause) => {
    const deployment = await pushed({
      ...migration,
      up: [...migration.up],
      down: migration.down && [...migration.down],
      touches: [...migration.touches],
    });
    expect(deployment.outcome).toBe('rejected');
    expect(deployment.cause).toMatch(cause);
    expect(await stage.get('dev', '/notes')).toMatchObject({ body: [{ id: 1, text: 'a note' }] });
  });

  it('rejects a down that would lose what visitors write after the migration, though it restores what was there', async () => {
    const migration = {
      up: [
        'ALTER TABLE notes RENAME TO kept',
        ...COPY.map((sql) => sql.replace('FROM notes', 'FROM kept')),
        'DELETE FROM kept WHERE id < 0',
      ],
      down: ['DROP TABLE remarks', 'ALTER TABLE kept RENAME TO notes'],
      touches: ['notes', 'kept', 'remarks'],
    };
    expect(
      await pushed(migration, { 'behaviour.json': behaviour({ version: 'two', table: 'remarks' }) }),
    ).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringContaining('the down of 002_try loses rows written after it') as string,
    });
  });

  it('rejects a hold that would be longer than visitors are to wait, and says how long', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const migration = {
      up: ['ALTER TABLE notes ADD COLUMN mood TEXT'],
      down: ['ALTER TABLE notes DROP COLUMN mood'],
      touches: ['notes'],
    };
    const files = { 'environments/dev.yaml': file.replace('hold: 20s', 'hold: 1ms') };
    expect(await pushed(migration, files)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringMatching(
        /^rehearsal: the hold on writes would take \d+\.\d s, expected at most 0\.0 s: raise cutover\.hold to \d+s, or split the migration$/,
      ) as string,
    });
  });

  it('rejects a migration that does not come to an end, long after writes would have had to go on', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const endless =
      'WITH RECURSIVE more(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM more) SELECT max(x) FROM more';
    const migration = { up: [endless], down: ['SELECT 1'], touches: ['notes'] };
    const files = { 'environments/dev.yaml': file.replace('hold: 20s', 'hold: 2s') };
    expect(await pushed(migration, files)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringContaining('migrate up ran out of time') as string,
    });
  });

  it('lets a good migration pass and foretells hold and way back', async () => {
    const migration = {
      up: ['ALTER TABLE notes ADD COLUMN mood TEXT'],
      down: ['ALTER TABLE notes DROP COLUMN mood'],
      touches: ['notes'],
    };
    const deployment = await pushed(migration);
    expect(deployment.outcome).toBe('deployed');
    const rehearsal = deployment.suites.find(({ name }) => name === 'rehearsal');
    expect(rehearsal?.checks.map(({ name, actual }) => `${name} ${actual}`)).toEqual([
      'the way back is proven by code alone, and by down',
      expect.stringMatching(/^up of 002_try done in \d+\.\d s$/),
      expect.stringMatching(/^the hold on writes would take \d+\.\d s$/),
    ]);
  });

  it('tells the migrations that the head of the branch would bring, and what a rehearsal of them ran', async () => {
    const { operations } = stage.daemon;
    await operations.lock('dev', 'look first', 'alice');
    const migration = {
      up: ['ALTER TABLE notes ADD COLUMN size INTEGER'],
      down: ['ALTER TABLE notes DROP COLUMN size'],
      touches: ['notes'],
    };
    await stage.push('dev', 'Sizes', { 'migrations/003_size.json': JSON.stringify(migration) });
    expect(await operations.migrations('dev')).toMatchObject({
      applied: ['001_notes', '002_try'],
      pending: ['003_size'],
      ran: [],
    });
    const rehearsal = await stage.outcome(await operations.rehearse('dev', 'alice'));
    expect(rehearsal.outcome).toBe('ok');
    expect(await operations.migrations('dev', rehearsal.id)).toMatchObject({
      pending: ['003_size'],
      ran: [{ name: '003_size', reversible: true }],
    });
    await operations.unlock('dev', 'alice');
    await stage.allLive();
  });

  it('lets the migrations of a head that nobody has verified see a copy when it asks what is pending', async () => {
    const { operations } = stage.daemon;
    await operations.lock('dev', 'look first', 'alice');
    const program = await stage.repository.git('show', 'HEAD:migrate.mjs');
    const writes = program.replace(
      "if (verb !== 'status')",
      `if (verb === 'status') database.exec("DELETE FROM notes");\nelse`,
    );
    await stage.push('dev', 'A status that writes', { 'migrate.mjs': writes });
    expect(await operations.migrations('dev')).toMatchObject({ success: true });
    expect((await stage.get('dev', '/notes')).body).toMatchObject([{ text: 'a note' }]);
    await stage.push('dev', 'As before', { 'migrate.mjs': program });
    await operations.unlock('dev', 'alice');
    await stage.allLive();
  });

  it('can be asked for by itself and touches nothing', async () => {
    const before = await stage.get('dev');
    const rehearsal = await stage.outcome(await stage.daemon.operations.rehearse('dev', 'alice'));
    expect(rehearsal).toMatchObject({ kind: 'rehearsal', outcome: 'ok', liveAt: null });
    expect(rehearsal.stages.find(({ name }) => name === 'rehearse')?.state).toBe('done');
    expect(await stage.get('dev')).toEqual(before);
  });

  it("takes a path for no more than a hint of migrations: the release's own program has the word", async () => {
    const heldBy = async (message: string, files: Record<string, string>) => {
      const commit = await stage.push('dev', message, files);
      const { outcome, stages } = await stage.ended('dev', commit);
      expect(outcome).toBe('deployed');
      return stages.find(({ name }) => name === 'hold')?.state;
    };
    expect(await heldBy('How we migrate', { 'docs/migrations.md': 'With care.' })).toBe('skipped');
    const { repository } = stage;
    const program = await repository.git('show', 'HEAD:migrate.mjs');
    const listed = await repository.git('ls-files', 'migrations');
    const steps = await Promise.all(
      listed
        .split('\n')
        .map(async (file) => [
          file.replace('migrations/', 'steps/'),
          await repository.git('show', `HEAD:${file}`),
        ]),
    );
    const moved = { 'migrate.mjs': program.replace("'migrations/'", "'steps/'") };
    expect(await heldBy('Another place', { ...Object.fromEntries(steps), ...moved })).toBe('skipped');
    const migration = {
      up: ['ALTER TABLE notes ADD COLUMN author TEXT'],
      down: ['ALTER TABLE notes DROP COLUMN author'],
      touches: ['notes'],
    };
    expect(await heldBy('Authors', { 'steps/004_author.json': JSON.stringify(migration) })).toBe('done');
  });
});

describe('a rehearsal on a table that is empty today', () => {
  const stage = liveForAll({ migrations: { 'require-reversible': true } });

  it('rejects a down that would lose what visitors write into what took its place', async () => {
    const migration = {
      up: [...COPY, 'DROP TABLE notes'],
      down: ['CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)', 'DROP TABLE remarks'],
      touches: ['notes', 'remarks'],
    };
    const commit = await stage.push('dev', 'Moved', {
      'migrations/002_moved.json': JSON.stringify(migration),
      'behaviour.json': behaviour({ version: 'two', table: 'remarks' }),
    });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringContaining('the down of 002_moved loses rows written after it') as string,
    });
  });
});
