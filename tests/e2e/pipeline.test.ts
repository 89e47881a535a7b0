import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const COLUMN: SampleMigration = {
  up: ["ALTER TABLE notes ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
};

describe('a push', () => {
  const stage = liveForAll();

  it('brings dev and then prod live on the first start, each on its own database', async () => {
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
    expect(await stage.get('prod')).toMatchObject({ status: 200, body: { version: 'one' } });
    expect(await stage.post('dev', 'only in dev')).toBe(201);
    expect((await stage.get('prod', '/notes')).body).toEqual([]);
  });

  it('becomes a live release within one look, by the webhook', async () => {
    const commit = await stage.push('dev', 'Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    const deployment = await stage.ended('dev', commit);
    expect(deployment).toMatchObject({ outcome: 'deployed', cause: null, requestedBy: 'push' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'two', commit } });
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'one' } });
    expect(deployment.stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'preflight done',
      'fetch done',
      'release done',
      'rehearse done',
      'backup skipped',
      'hold skipped',
      'migrate skipped',
      'boot done',
      'verify done',
      'switch done',
      'settle done',
      'finish done',
    ]);
  });

  it('is what `deploy` asks for right after it: one deployment, which both wait for', async () => {
    const commit = await stage.push('dev', 'Asked for too', {
      'behaviour.json': behaviour({ version: 'asked' }),
    });
    const asked = await stage.outcome(
      await stage.daemon.operations.deploy({ environment: 'dev', by: 'alice' }),
    );
    expect(asked).toMatchObject({ outcome: 'deployed', commit });
    await stage.allLive();
    const { deployments } = await stage.daemon.operations.deployments({ environment: 'dev', commit });
    expect(deployments.map(({ outcome }) => outcome)).toEqual(deployments.map(() => 'deployed'));
  });

  it('that a lock makes wait goes on waiting whatever is asked for by hand, which is refused', async () => {
    const { operations } = stage.daemon;
    await operations.lock('dev', 'an audit', 'alice');
    const commit = await stage.push('dev', 'Locked', { 'behaviour.json': behaviour({ version: 'locked' }) });
    await waitFor('it to wait', async () => (await operations.environment('dev')).waiting ?? undefined);
    const asked = { environment: 'dev', by: 'bob' };
    const { id } = await operations.createBackup('dev', { by: 'bob' });
    await expect(operations.deploy(asked)).rejects.toThrow(/an audit/);
    const earlier = await stage.repository.git('rev-parse', 'HEAD~1');
    await expect(operations.deploy({ ...asked, commit: earlier })).rejects.toThrow(/an audit/);
    await expect(operations.rollback({ ...asked, target: { last: true } })).rejects.toThrow(/an audit/);
    await expect(operations.restoreBackup('dev', id, { by: 'bob' })).rejects.toThrow(/an audit/);
    expect((await operations.environment('dev')).waiting).toMatchObject({ commit });
    await operations.unlock('dev', 'alice');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  });

  it('that a lock makes wait is deployed after the unlocking, whatever passed the lock meanwhile', async () => {
    const { operations } = stage.daemon;
    const older = await stage.push('dev', 'Older', { 'behaviour.json': behaviour({ version: 'older' }) });
    await stage.ended('dev', older);
    await stage.ended(
      'dev',
      await stage.push('dev', 'Between', { 'behaviour.json': behaviour({ version: 'between' }) }),
    );
    await operations.lock('dev', 'an audit', 'alice');
    const commit = await stage.push('dev', 'Newest', { 'behaviour.json': behaviour({ version: 'newest' }) });
    await waitFor('it to wait', async () => (await operations.environment('dev')).waiting ?? undefined);
    const passing = { environment: 'dev', commit: older, override: true, reason: 'urgent', by: 'bob' };
    expect(await stage.outcome(await operations.deploy(passing))).toMatchObject({ outcome: 'deployed' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'older' } });
    expect((await operations.environment('dev')).waiting).toMatchObject({ commit });
    await operations.unlock('dev', 'alice');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'newest' } });
  });

  it('comes after the rollback that a person waits for', async () => {
    const { operations } = stage.daemon;
    const { id } = await operations.createBackup('dev', { by: 'bob' });
    const restore = await operations.restoreBackup('dev', id, { by: 'bob' });
    const rollback = await operations.rollback({ environment: 'dev', target: { last: true }, by: 'alice' });
    const commit = await stage.push('dev', 'After it', { 'behaviour.json': behaviour({ version: 'after' }) });
    for (const asked of [restore, rollback])
      expect(await stage.outcome(asked)).toMatchObject({ outcome: 'ok' });
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'after' } });
  });

  it('is found again page by page, and a cursor that no page told is wrong usage', async () => {
    const { operations } = stage.daemon;
    const { next, deployments } = await operations.deployments({ environment: 'dev', limit: 1 });
    const older = await operations.deployments({ environment: 'dev', limit: 1, cursor: next ?? '' });
    expect(older.deployments[0]?.id).not.toBe(deployments[0]?.id);
    await expect(operations.deployments({ cursor: 'nonsense' })).rejects.toThrow(/as cursor, got nonsense/);
  });

  it('with a migration keeps what visitors wrote, on the next generation', async () => {
    expect(await stage.post('dev', 'before the migration')).toBe(201);
    const commit = await stage.push('dev', 'A column', {
      'migrations/002_mood.json': JSON.stringify(COLUMN),
    });
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed', cause: null });
    const { body } = await stage.get('dev', '/notes');
    expect(body).toContainEqual(expect.objectContaining({ text: 'before the migration', mood: 'calm' }));
  });

  it.each([
    [
      'crashes at its start',
      { version: 'bad', start: 'crash' },
      /^crashed at the start: server.mjs:\d+: Error: planted: crash at the start$/,
    ],
    [
      'ends at once without a word',
      { version: 'bad', start: 'end' },
      /^ended at the start and said nothing: commands\.start has to be the server itself/,
    ],
    [
      'is not healthy',
      { version: 'bad', health: 503, deaf: true },
      /^not healthy within 3 s: GET \/_deploy\/health answered 503/,
    ],
    [
      'hangs',
      { version: 'bad', health: 'hang' },
      /^not healthy within 3 s: GET \/_deploy\/health did not answer/,
    ],
    [
      'answers a page with 500',
      { version: 'bad', home: 500 },
      /^routes: GET \/ gave 500, expected 200 \(server\.mjs:1\)$/,
    ],
    [
      'writes to the database at its start',
      { version: 'bad', start: 'write' },
      /^integrity: the data was changed by the start of server\.mjs: notes: 1 row added \(key \d+\), expected no change$/,
    ],
  ] as const)(
    'of a commit that %s is rejected, and what was live is untouched',
    async (_how, wanted, cause) => {
      const before = await stage.get('dev');
      const notes = await stage.get('dev', '/notes');
      const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
      const commit = await stage.push('dev', 'A bad one', {
        'behaviour.json': behaviour(wanted),
        'environments/dev.yaml': file.replace(/timeout: \d+s/, `timeout: ${'health' in wanted ? 3 : 30}s`),
      });
      const deployment = await stage.ended('dev', commit);
      expect(deployment).toMatchObject({
        outcome: 'rejected',
        cause: expect.stringMatching(cause) as string,
      });
      expect(await stage.get('dev')).toEqual(before);
      expect(await stage.get('dev', '/notes')).toEqual(notes);
      // One that has to be killed leaves its socket, which nobody will ever serve again.
      const sockets = await readdir(join(stage.home, 'run', 'dev'));
      expect(sockets.filter((name) => name.startsWith('rehearsal-'))).toEqual([]);
      expect((await stage.daemon.operations.environment('dev')).quarantined).toContain(commit);
    },
  );

  it('of a failing migration is rejected with the migration named', async () => {
    const failing = { up: ['ALTER TABLE nowhere ADD COLUMN x'], down: [], touches: [] };
    const commit = await stage.push('dev', 'A failing migration', {
      'behaviour.json': behaviour({ version: 'three' }),
      'migrations/003_fails.json': JSON.stringify(failing),
    });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause: 'migrations/003_fails.json:1: no such table: nowhere',
    });
    await stage.repository.commit('Without it', { 'migrations/003_fails.json': null });
  });

  it('of a broken environment file is rejected with the key named', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const commit = await stage.push('dev', 'A typo', { 'environments/dev.yaml': `${file}\ncutovr: {}\n` });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause:
        'environments/dev.yaml:17: unknown key "cutovr": environments/schema.json lists those that there are',
    });
    await stage.repository.commit('Mended', { 'environments/dev.yaml': `${file}\n` });
  });

  it('onto the address of another environment is rejected before anything is built for it', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const taken = file.replace(/listen: .*/, `listen: 127.0.0.1:${stage.ports.prod}`);
    const commit = await stage.push('dev', 'Another address', { 'environments/dev.yaml': taken });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause: `environments/dev.yaml: listen 127.0.0.1:${stage.ports.prod} is that of prod too: choose another port`,
    });
    await stage.repository.commit('Back', { 'environments/dev.yaml': `${file}\n` });
  });

  it('that follows another at once ends no write that is still under way two releases before', async () => {
    const write = fetch(`http://127.0.0.1:${stage.ports.dev}/notes?wait=4000`, {
      method: 'POST',
      body: 'slow',
    });
    for (const version of ['quick', 'quicker']) {
      const commit = await stage.push('dev', version, { 'behaviour.json': behaviour({ version }) });
      expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
    }
    expect((await write).status).toBe(201);
    expect(JSON.stringify((await stage.get('dev', '/notes')).body)).toContain('"slow"');
  });

  it("shows the release the environment's own secrets; others are another deployment of the same tree", async () => {
    const file = join(stage.home, 'secrets', 'dev.env');
    const redeploy = async () => {
      const asked = await stage.daemon.operations.deploy({ environment: 'dev', by: 'alice' });
      const { outcome, cause } = await stage.outcome(asked);
      return { outcome, cause };
    };
    const files = { 'behaviour.json': behaviour({ version: 'own', tells: 'MAIL_PASSWORD' }) };
    await mkdir(join(stage.home, 'secrets'));
    await writeFile(file, "# of the mail server\nMAIL_PASSWORD='fishes & birds'\n");
    expect(await stage.ended('dev', await stage.push('dev', 'Mail', files))).toMatchObject({
      outcome: 'deployed',
    });
    expect((await stage.get('dev')).body).toMatchObject({ told: 'fishes & birds' });
    expect(await redeploy()).toEqual({
      outcome: 'deployed',
      cause: expect.stringMatching(/is live already$/),
    });
    await writeFile(file, 'MAIL_PASSWORD=other\n');
    expect(await redeploy()).toEqual({ outcome: 'deployed', cause: null });
    expect((await stage.get('dev')).body).toMatchObject({ told: 'other' });
    const told = behaviour({ version: 'own', start: 'tell', tells: 'MAIL_PASSWORD' });
    await writeFile(file, 'MAIL_PASSWORD=fishes-and-birds\n');
    const telling = await stage.ended('dev', await stage.push('dev', 'Tells', { 'behaviour.json': told }));
    expect(telling.cause).toMatch(/Error: it is \[hidden\]$/);
    expect(JSON.stringify(telling)).not.toContain('fishes');
    await stage.ended('dev', await stage.push('dev', 'Mail again', files));
    await writeFile(file, 'geheim\n');
    expect(await redeploy()).toEqual({ outcome: 'refused', cause: `${file}:1: expected NAME=value` });
    await writeFile(file, 'LISTEN=/tmp/elsewhere\n');
    expect(await redeploy()).toEqual({
      outcome: 'refused',
      cause: 'dev.env: LISTEN is told by the deployer itself: choose another name',
    });
    await rm(file);
  });

  it('of a mended commit is deployed', async () => {
    const commit = await stage.push('dev', 'Four', { 'behaviour.json': behaviour({ version: 'four' }) });
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  });

  it('is what keeps an environment: without its branch it can be removed, and comes back with another', async () => {
    const { operations } = stage.daemon;
    const remove = () => operations.remove('dev', { by: 'alice', reason: 'no longer used' });
    const names = async () => (await operations.environments()).map(({ name }) => name);
    await stage.post('dev', 'precious');
    await expect(remove()).rejects.toThrow(/^the branch dev holds environments\/dev.yaml/);
    await stage.repository.push(':dev');
    await waitFor('it to be missed', async () =>
      (await operations.problems()).find((problem) => problem.includes('until deployer remove dev')),
    );
    await operations.lock('dev', 'an audit', 'bob');
    await expect(remove()).rejects.toThrow(/an audit/);
    await operations.unlock('dev', 'bob');

    const { backup } = await remove();
    expect(await names()).toEqual(['prod']);
    expect(await operations.problems()).toEqual([]);
    await expect(stage.get('dev')).rejects.toThrow('fetch failed');
    expect((await stage.daemon.tools.instances.all()).map(({ environment }) => environment)).toEqual([
      'prod',
    ]);
    expect((await operations.audit('dev')).entries[0]).toMatchObject({
      action: 'removed',
      detail: 'no longer used',
    });
    await expect(operations.deploy({ environment: 'dev', by: 'bob' })).rejects.toThrow(/there are prod$/);

    await stage.repository.push('HEAD:dev');
    await waitFor('it to be back', async () => (await names()).includes('dev') || undefined);
    await stage.allLive();
    expect((await stage.get('dev', '/notes')).body).toEqual([]);
    await stage.outcome(await operations.restoreBackup('dev', backup, { by: 'alice' }));
    expect(JSON.stringify((await stage.get('dev', '/notes')).body)).toContain('precious');
  });
});
