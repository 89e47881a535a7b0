import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, waitFor } from '../kit/daemon.ts';
import { Place } from '../kit/place.ts';
import { behaviour, sampleFiles, type SampleMigration } from '../kit/repository.ts';

interface Told {
  id: string;
  outcome: string | null;
  commit: string;
}

const COLUMN: SampleMigration = {
  up: ["ALTER TABLE notes ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
};

describe('npx deployer', () => {
  let place: Place;
  let first: string;
  beforeAll(async () => {
    place = await Place.create();
    await place.checkout.commit('Nothing', { '.gitignore': '.deployer/\n' });
    await sampleFiles(place.checkout, { dev: await freePort(), prod: await freePort() });
    first = await place.checkout.git('rev-parse', 'HEAD');
    const daemon = place.start(['--demo']);
    await daemon.says('rollback prod');
  });
  afterAll(() => place.strike());

  /** A commit on a branch that no environment follows, so that only the command line deploys it. */
  const commit = async (version: string, more: object = {}, files: Record<string, string> = {}) => {
    const made = await place.checkout.commit(version, {
      'behaviour.json': behaviour({ version, ...more }),
      ...files,
    });
    await place.checkout.push('HEAD:refs/heads/work');
    return made;
  };
  const newest = async (environment: string) =>
    ((await place.json('history', environment)).details['deployments'] as Told[])[0];

  it('tells what is live, of all environments and of one', async () => {
    const all = await place.json('status');
    expect(all).toMatchObject({ code: 0, success: true, outcome: 'ok' });
    expect(all.details['environments']).toMatchObject([{ name: 'dev' }, { name: 'prod' }]);
    const { details } = await place.json('status', 'dev');
    expect(details).toMatchObject({ name: 'dev', running: null, waiting: null, lock: null, quarantined: [] });
    expect(details['live']).toMatchObject({ commit: first, outcome: 'deployed' });
  });

  it('deploys at once what is live already, and stores what is not waited for', async () => {
    expect(await place.json('deploy', 'dev', '--wait')).toMatchObject({
      code: 0,
      outcome: 'deployed',
      details: { commit: first },
    });
    const stored = await place.json('deploy', 'dev', '--commit', await commit('two'));
    expect(stored).toMatchObject({ code: 0, success: true, outcome: 'ok' });
    const id = String(stored.details['id']);
    await waitFor('it to end', async () =>
      (await place.json('show', id)).details['outcome'] === 'deployed' ? true : undefined,
    );
    const shown = await place.json('show', id);
    expect(shown).toMatchObject({
      code: 0,
      outcome: 'ok',
      details: { id, kind: 'deploy', environment: 'dev' },
    });
    expect(shown.details['stages']).toContainEqual(
      expect.objectContaining({ name: 'switch', state: 'done' }),
    );
    expect(await newest('dev')).toMatchObject({ id, outcome: 'deployed' });
    const log = await place.cli('logs', id);
    expect(log.code).toBe(0);
    expect(log.stdout).toMatch(/^\d{4}-\d\d-\d\dT.*\n/);
    expect(await place.json('logs', id)).toMatchObject({ code: 0, success: true, outcome: 'ok' });
  });

  it('exits 1 when it was rejected, with progress on stderr and the cause in the object', async () => {
    const bad = await commit('bad', { start: 'crash' });
    const ran = await place.json('deploy', 'dev', '--commit', bad, '--wait');
    expect(ran).toMatchObject({
      code: 1,
      success: false,
      outcome: 'rejected',
      details: { commit: bad, cause: expect.stringContaining('planted: crash') as string },
    });
    expect(ran.stderr).toContain('fetch');
  });

  it('exits 3 when a quarantine, a gate or a lock says no', async () => {
    const bad = await place.checkout.git('rev-parse', 'HEAD');
    const quarantined = await place.json('deploy', 'dev', '--commit', bad);
    expect(quarantined).toMatchObject({ code: 3, success: false, outcome: 'refused' });
    expect(JSON.stringify(quarantined.details)).toContain('quarantined');

    const unverified = await commit('unverified');
    const gated = await place.json('deploy', 'prod', '--commit', unverified, '--wait');
    expect(gated).toMatchObject({ code: 3, outcome: 'refused' });
    expect(JSON.stringify(gated.details)).toContain('dev has not verified');

    await place.checkout.push('HEAD:refs/heads/idea');
    const elsewhere = await place.json('deploy', 'prod', '--branch', 'idea');
    expect(elsewhere).toMatchObject({ code: 3, outcome: 'refused' });
    expect(JSON.stringify(elsewhere.details)).toContain('prod deploys only its own branch main, not idea');

    expect(await place.json('lock', 'dev', '--reason', 'an audit')).toMatchObject({ code: 0, outcome: 'ok' });
    expect((await place.json('status', 'dev')).details['lock']).toMatchObject({ reason: 'an audit' });
    const { details: before } = await place.json('history', 'dev');
    for (const verb of [
      ['deploy', 'dev', '--commit', unverified],
      ['rollback', 'dev'],
    ]) {
      const locked = await place.json(...verb);
      expect(locked).toMatchObject({ code: 3, outcome: 'refused' });
      expect(JSON.stringify(locked.details)).toContain('an audit');
    }
    expect((await place.json('history', 'dev')).details).toEqual(before);
    expect(await place.json('unlock', 'dev')).toMatchObject({ code: 0, outcome: 'ok' });
    expect((await place.json('status', 'dev')).details['lock']).toBeNull();
  });

  it('exits 4 when a newer commit took its place', async () => {
    const slow = await commit('slow', { health: 503 });
    const waiting = place.json('deploy', 'dev', '--commit', slow, '--wait');
    await waitFor(
      'it to run',
      async () =>
        ((await place.json('status', 'dev')).details['running'] as Told | null)?.commit === slow || undefined,
    );
    const newer = await commit('newer');
    await place.checkout.push('HEAD:dev');
    expect(await waiting).toMatchObject({ code: 4, success: false, outcome: 'superseded' });
    await waitFor('the newer one to be live', async () =>
      ((await place.json('status', 'dev')).details['live'] as Told).commit === newer ? true : undefined,
    );
  });

  it('promotes, verifies and rolls back', async () => {
    const promoted = await place.json('promote', 'dev', 'prod');
    expect(promoted).toMatchObject({
      code: 0,
      success: true,
      outcome: 'deployed',
      details: { environment: 'prod' },
    });
    expect(await place.json('verify', 'prod')).toMatchObject({
      code: 0,
      outcome: 'ok',
      details: { success: true, suites: [{ name: 'routes', success: true }] },
    });
    expect(await place.json('rollback', 'prod', '--last')).toMatchObject({
      code: 0,
      outcome: 'ok',
      details: { kind: 'rollback', commit: first },
    });
    expect(await place.json('rollback', 'prod', '--last')).toMatchObject({ code: 3, outcome: 'refused' });
  });

  it('tells the migrations, and rehearses those that are pending with nothing live touched', async () => {
    await commit('migrated', {}, { 'migrations/002_mood.json': JSON.stringify(COLUMN) });
    expect(await place.json('lock', 'dev', '--reason', 'to look at it first')).toMatchObject({ code: 0 });
    await place.checkout.push('HEAD:dev');
    expect(await place.json('migrate', 'status', 'dev')).toMatchObject({
      code: 0,
      outcome: 'ok',
      details: { success: true, applied: ['001_notes'], ran: [], error: null },
    });
    const rehearsed = await place.json('migrate', 'rehearse', 'dev');
    expect(rehearsed).toMatchObject({ code: 0, success: true, outcome: 'ok', details: { success: true } });
    const { details } = await place.json('migrate', 'status', 'dev');
    expect(details).toMatchObject({ applied: ['001_notes'] });
    expect(await place.json('unlock', 'dev')).toMatchObject({ code: 0 });
    await waitFor(
      'the migration to be live',
      async () =>
        String((await place.json('migrate', 'status', 'dev')).details['applied']).includes('002_mood') ||
        undefined,
    );
  });

  it('exits 2 for wrong usage, and 1 without a daemon', async () => {
    expect(await place.json('depoly', 'dev')).toMatchObject({ code: 2, success: false, outcome: 'failed' });
    expect(await place.json('deploy', 'nowhere')).toMatchObject({
      code: 2,
      success: false,
      outcome: 'failed',
    });
    expect(await place.json('show', 'nothing')).toMatchObject({ code: 2, success: false, outcome: 'failed' });
    const elsewhere = await Place.create();
    expect(await elsewhere.json('status')).toMatchObject({ code: 1, success: false, outcome: 'failed' });
    await elsewhere.strike();
  });
});
