import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForEach } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const COLUMN: SampleMigration = {
  up: ["ALTER TABLE notes ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
};
/** The earlier release cannot read the notes any more once they have moved. */
const MOVED: SampleMigration = {
  up: [
    'CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    'INSERT INTO remarks SELECT * FROM notes',
    'DROP TABLE notes',
  ],
  down: [
    'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    'INSERT INTO notes SELECT * FROM remarks',
    'DROP TABLE remarks',
  ],
  touches: ['notes', 'remarks'],
};

describe('a rollback', () => {
  const stage = liveForEach();

  const deployed = async (message: string, files: Record<string, string>) => {
    const commit = await stage.push('dev', message, files);
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed', cause: null });
    return commit;
  };
  const rollback = async (
    target: { last: true } | { commit: string } | { version: string },
    more: object = {},
  ) =>
    stage.outcome(
      await stage.daemon.operations.rollback({ environment: 'dev', target, by: 'alice', ...more }),
    );

  it('returns to the release before, and each further one goes one step deeper', async () => {
    await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    const three = await deployed('Three', { 'behaviour.json': behaviour({ version: 'three' }) });
    const back = await rollback({ last: true });
    expect(back).toMatchObject({ kind: 'rollback', outcome: 'ok', cause: null });
    expect(back.stages.find(({ name }) => name === 'boot')).toMatchObject({
      state: 'skipped',
      cause: 'its instance is still warm',
    });
    expect(await stage.daemon.operations.verify('dev', [])).toMatchObject({ success: true });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'two' } });
    expect((await stage.daemon.operations.environment('dev')).quarantined).toEqual([three]);
    expect(await rollback({ last: true })).toMatchObject({ outcome: 'ok' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    await expect(rollback({ last: true })).rejects.toThrow(/there is no earlier release in dev/);
  });

  it('asked for by two people at once goes one step back, and both are told so', async () => {
    await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    await deployed('Three', { 'behaviour.json': behaviour({ version: 'three' }) });
    const [one, other] = await Promise.all([rollback({ last: true }), rollback({ last: true })]);
    expect(one).toMatchObject({ outcome: 'ok' });
    expect(other).toEqual(one);
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'two' } });
  });

  it('keeps the quarantined commit away until a new one comes', async () => {
    const two = await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    await rollback({ last: true });
    await stage.daemon.reconciler.look();
    await stage.allLive();
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    const { operations } = stage.daemon;
    const again = { environment: 'dev', commit: two, by: 'bob' };
    await expect(operations.deploy(again)).rejects.toThrow('is quarantined since');
    const { id } = await operations.deploy({ ...again, override: true, reason: 'it was not the release' });
    expect(await stage.outcome({ id })).toMatchObject({ outcome: 'deployed' });
    expect((await operations.environment('dev')).quarantined).not.toContain(two);
    expect(await stage.outcome(await operations.deploy(again))).toMatchObject({
      outcome: 'deployed',
      cause: expect.stringContaining('is live already') as string,
    });
    await deployed('Three', { 'behaviour.json': behaviour({ version: 'three' }) });
  });

  it('goes to a commit that was live, and refuses one that never was', async () => {
    const first = await stage.repository.git('rev-parse', 'HEAD');
    await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    await deployed('Three', { 'behaviour.json': behaviour({ version: 'three' }) });
    expect(await rollback({ commit: first.slice(0, 8) })).toMatchObject({ outcome: 'ok', commit: first });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    await expect(rollback({ commit: 'feedfacefeedface' })).rejects.toThrow(/was never live in dev/);
  });

  it('over a migration takes the schema back and keeps the rows written since', async () => {
    await stage.post('dev', 'before');
    await deployed('Moved', {
      'migrations/002_moved.json': JSON.stringify(MOVED),
      'behaviour.json': behaviour({ version: 'moved', table: 'remarks' }),
    });
    await stage.post('dev', 'after');
    expect(await rollback({ last: true })).toMatchObject({ outcome: 'ok', cause: null });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    expect((await stage.get('dev', '/notes')).body).toEqual([
      { id: 1, text: 'before' },
      { id: 2, text: 'after' },
    ]);
  });

  it('goes back by code alone where the earlier release was proven on the newer schema', async () => {
    await deployed('A column', {
      'migrations/002_mood.json': JSON.stringify(COLUMN),
      'behaviour.json': behaviour({ version: 'two' }),
    });
    await stage.post('dev', 'with a mood');
    expect(await rollback({ last: true })).toMatchObject({ outcome: 'ok' });
    expect(await stage.get('dev')).toMatchObject({
      body: { version: 'one', columns: ['id', 'text', 'mood'] },
    });
  });

  it('over a migration whose down was seen to lose rows is refused, and touches nothing', async () => {
    await stage.post('dev', 'before');
    const [again = ''] = MOVED.down ?? [];
    await deployed('Loses', {
      'migrations/002_moved.json': JSON.stringify({ ...MOVED, down: [again, 'DROP TABLE remarks'] }),
      'behaviour.json': behaviour({ version: 'moved', table: 'remarks' }),
    });
    await deployed('On top', { 'behaviour.json': behaviour({ version: 'later', table: 'remarks' }) });
    await stage.post('dev', 'after');
    expect(await rollback({ last: true })).toMatchObject({ outcome: 'ok' });
    expect(await rollback({ last: true })).toMatchObject({
      outcome: 'refused',
      cause: expect.stringMatching(
        /rehearsal has seen that 002_moved has no down that restores all/,
      ) as string,
    });
    expect((await stage.get('dev', '/notes')).body).toHaveLength(2);
  });

  it('over a migration without a way back is refused unless a backup may be restored, and saves what that drops', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    await stage.post('dev', 'before');
    const oneWay = { ...MOVED, down: null };
    await deployed('One way', {
      'migrations/002_moved.json': JSON.stringify(oneWay),
      'behaviour.json': behaviour({ version: 'moved', table: 'remarks' }),
      'environments/dev.yaml': `${file}\nbackups: { before-deploy: true }\n`,
    });
    await stage.post('dev', 'after');
    expect(await rollback({ last: true })).toMatchObject({
      outcome: 'refused',
      cause: expect.stringMatching(
        /cannot be taken back: .*002_moved has no down.*--restore-backup/,
      ) as string,
    });
    expect((await stage.get('dev', '/notes')).body).toHaveLength(2);
    const restored = await rollback({ last: true }, { restoreBackup: true });
    expect(restored).toMatchObject({ outcome: 'ok' });
    expect((await stage.get('dev', '/notes')).body).toEqual([{ id: 1, text: 'before' }]);
    const log = await Array.fromAsync(
      stage.daemon.operations.log(restored.id, { follow: false, signal: new AbortController().signal }),
    );
    expect(log.join('\n')).toMatch(/\d+ changes since then were saved beside it and dropped/);
  });

  it('whose revert conflicts with what was pushed since says so in the repository, and as a problem', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    await deployed('Reverts are proposed', {
      'environments/dev.yaml': file.replace('revert: off', 'revert: pull-request'),
    });
    const two = await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    const broken = await stage.push('dev', 'Broken', {
      'behaviour.json': behaviour({ version: 'three', start: 'crash' }),
    });
    expect(await stage.ended('dev', broken)).toMatchObject({ outcome: 'rejected' });
    expect(await rollback({ last: true })).toMatchObject({ outcome: 'ok' });
    const short = two.slice(0, 8);
    const why = `${short} cannot be reverted on dev: later commits changed behaviour.json`;
    const problem = await waitFor('the revert to be given up', async () =>
      (await stage.daemon.operations.problems()).find((one) => one.includes('given up')),
    );
    expect(problem).toBe(
      `the revert of ${short} on dev was given up: ${why}. Mend: git revert ${short} by hand, or push what replaces it; it is named here for 7 days`,
    );
    const { repository } = stage;
    await repository.git('fetch', '-q', repository.origin, 'refs/notes/deploy:refs/notes/deploy');
    expect(await repository.git('notes', '--ref=deploy', 'show', two)).toContain(`not reverted: ${why}`);
  });
});
