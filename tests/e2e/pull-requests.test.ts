import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort, waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { PullRequests } from '../kit/pull-requests.ts';
import { behaviour } from '../kit/repository.ts';

const MOOD = JSON.stringify({
  up: ['ALTER TABLE notes ADD COLUMN mood TEXT'],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
});
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as string;

describe('a pull request into the branch of an environment', () => {
  // What hangs is let go of by this alone.
  const stage = liveForAll({ boot: { timeout: '5s' } }, { instrument: (tools) => pulls.instrument(tools) });
  const pulls = new PullRequests(stage);
  beforeAll(async () => void (await stage.post('dev', 'a note')));

  const generations = async (environment: string) =>
    (await readdir(join(stage.home, 'data', environment))).filter((name) => name !== 'current');
  /** Nothing of a rehearsal is left, and nothing live was touched. */
  const untouched = async () => {
    expect(await generations('dev')).toHaveLength(1);
    expect(await readdir(join(stage.home, 'scratch', '.rehearsal')).catch(() => [])).toEqual([]);
    const all = await stage.daemon.tools.instances.all();
    expect(all.filter(({ slot }) => !['blue', 'green'].includes(slot))).toEqual([]);
    expect(await stage.get('dev', '/notes')).toMatchObject({ body: [{ id: 1, text: 'a note' }] });
  };

  it('is rehearsed as it would be merged, and foretold is how long writes will be held', async () => {
    const commit = await pulls.open(1, 'dev', { 'migrations/002_mood.json': MOOD });
    const rehearsal = await pulls.ended(1, commit);
    expect(rehearsal).toMatchObject({
      kind: 'rehearsal',
      environment: 'dev',
      branch: 'topic-1',
      outcome: 'ok',
      liveAt: null,
      stages: ['preflight', 'fetch', 'release', 'rehearse'].map((name) => ({ name, state: 'done' })),
    });
    expect(await pulls.statuses(commit, 'rehearse/dev')).toEqual([
      "pending waiting to be rehearsed on a copy of dev's data",
      matching(
        /^success passes on a copy of dev's data: the hold on writes would take \d+\.\d s; \d+ checks passed$/,
      ),
    ]);
    await untouched();
    const [environment] = await stage.daemon.operations.environments();
    expect(environment).toMatchObject({ running: null, waiting: null, last: { kind: 'deploy' } });
  });

  it('is not rehearsed again while what would be merged is the same', async () => {
    await stage.daemon.reconciler.look();
    await stage.daemon.reconciler.look();
    expect(await pulls.rehearsals(1)).toHaveLength(1);
  });

  it('is rehearsed again when its branch is pushed to, and when the base moves', async () => {
    const pushed = await pulls.push(1, 'dev', { 'more.txt': 'more' });
    const second = await pulls.ended(1, pushed);
    await stage.repository.git('checkout', '-q', '-B', 'dev', 'topic-1~2');
    await stage.ended('dev', await stage.push('dev', 'The base moves', { 'base.txt': 'moved' }));
    const third = await waitFor('the renewal', async () => {
      const [newest] = await pulls.rehearsals(1);
      return newest?.id !== second.id && newest?.outcome === 'ok' ? newest : undefined;
    });
    expect(third).toMatchObject({ commit: pushed, outcome: 'ok' });
    expect(third.tree).not.toBe(second.tree);
    await pulls.close(1);
  });

  it('that would break is told so, with what an agent needs to mend it, and quarantines nothing', async () => {
    const commit = await pulls.open(2, 'dev', { 'behaviour.json': behaviour({ version: 'two', home: 500 }) });
    const rehearsal = await pulls.ended(2, commit);
    expect(rehearsal).toMatchObject({
      outcome: 'failed',
      cause: 'routes: GET / gave 500, expected 200 (server.mjs:1)',
    });
    expect(await pulls.statuses(commit, 'rehearse/dev')).toEqual([
      matching(/^pending /),
      'failure failed: routes: GET / gave 500, expected 200 (server.mjs:1)',
    ]);
    const comment = (await pulls.told()).findLast((report) => report.type === 'comment');
    expect(comment).toMatchObject({ on: { pull: 2 }, key: 'deploy/dev' });
    expect(comment?.body).toContain('The rehearsal for dev does not pass');
    expect(comment?.body).toMatch(
      /routes: GET \/\n {2}expected {2}200\n {2}actual {4}gave 500\n {2}hint {6}see server\.mjs\n {2}where {5}server\.mjs:1/,
    );
    expect(comment?.body).toContain(`git merge --no-edit ${commit}`);
    expect(comment?.body).toContain('--socket "$LISTEN" --suite routes\n');
    expect((await stage.daemon.operations.environment('dev')).quarantined).toEqual([]);
    await untouched();
    await pulls.close(2);
  });

  it('whose release does not start is told with the last lines of its instance', async () => {
    const commit = await pulls.open(3, 'dev', {
      'behaviour.json': behaviour({ version: 'three', start: 'crash' }),
    });
    const { logTail, cause } = await pulls.ended(3, commit);
    expect(cause).toContain('planted: crash at the start');
    expect(logTail?.join('\n')).toContain('Error: planted: crash at the start');
    const comment = (await pulls.told()).findLast((report) => report.type === 'comment');
    expect(comment?.body).toContain('Error: planted: crash at the start');
    await pulls.close(3);
  });

  it('does nothing to the files that visitors see', async () => {
    const server = await stage.repository.git('show', 'HEAD:server.mjs');
    const write = "appendFileSync(join(process.env.FILES_DIR, 'kept'), process.env.DEPLOYMENT_ID);";
    await writeFile(join(stage.home, 'files', 'dev', 'kept'), 'as it was');
    const commit = await pulls.open(14, 'dev', { 'server.mjs': `${server}\n${write}` });
    expect(await pulls.ended(14, commit)).toMatchObject({
      outcome: 'failed',
      cause: expect.stringContaining('kept') as string,
    });
    expect(await readFile(join(stage.home, 'files', 'dev', 'kept'), 'utf8')).toBe('as it was');
    await pulls.close(14);
  });

  it('whose migration fails is told where', async () => {
    const commit = await pulls.open(4, 'dev', {
      'migrations/002_bad.json': JSON.stringify({ up: ['DROP TABLE nowhere'], down: null, touches: [] }),
    });
    const rehearsal = await pulls.ended(4, commit);
    expect(rehearsal.suites).toMatchObject([
      {
        name: 'rehearsal',
        success: false,
        checks: [
          {
            name: 'up of 002_bad',
            actual: 'no such table: nowhere',
            location: 'migrations/002_bad.json:1',
          },
        ],
      },
    ]);
    await untouched();
    await pulls.close(4);
  });

  it('that conflicts is told which files', async () => {
    const commit = await pulls.open(5, 'dev', { 'base.txt': 'theirs' });
    await pulls.ended(5, commit);
    await stage.repository.git('checkout', '-q', '-B', 'dev', 'topic-5~1');
    await stage.ended('dev', await stage.push('dev', 'Ours', { 'base.txt': 'ours' }));
    const conflict = await waitFor('the conflict to be told', async () => {
      const [newest] = await pulls.rehearsals(5);
      return newest?.outcome === 'failed' ? newest : undefined;
    });
    expect(conflict.cause).toBe('#5 conflicts with dev in base.txt: merge dev into topic-5 first');
    await stage.daemon.reconciler.look();
    expect((await pulls.rehearsals(5))[0]?.id).toBe(conflict.id);
    await pulls.close(5);
  });

  it('is rehearsed although the environment is locked', async () => {
    await stage.daemon.operations.lock('dev', 'look first', 'alice');
    const commit = await pulls.open(6, 'dev', { 'six.txt': '6' });
    expect((await pulls.ended(6, commit)).outcome).toBe('ok');
    await stage.daemon.operations.unlock('dev', 'alice');
    await pulls.close(6);
  });

  it('that is closed meanwhile ends, wherever it is, and its status says so', async () => {
    const slow = { 'behaviour.json': behaviour({ version: 'slow', health: 'hang' }) };
    const running = await pulls.open(7, 'dev', slow);
    await waitFor('#7 to run', async () => {
      const [newest] = await pulls.rehearsals(7);
      return (
        newest?.stages.some(({ name, state }) => name === 'rehearse' && state === 'running') || undefined
      );
    });
    const waiting = await pulls.open(8, 'dev', { 'eight.txt': '8' });
    await waitFor('#8 to wait', async () => (await pulls.rehearsals(8)).length > 0 || undefined);
    expect((await pulls.rehearsals(8))[0]?.stages.every(({ state }) => state === 'waiting')).toBe(true);
    await pulls.close(8);
    await pulls.close(7);
    for (const [number, commit] of [
      [7, running],
      [8, waiting],
    ] as const) {
      const why = `#${number} was closed, merged or is to go into another branch`;
      expect(await pulls.ended(number, commit)).toMatchObject({ outcome: 'superseded', cause: why });
      expect((await pulls.statuses(commit, 'rehearse/dev')).at(-1)).toBe(`error superseded: ${why}`);
    }
    await untouched();
  });

  it('gives way to a deployment that arrives, and is begun anew after it', async () => {
    const commit = await pulls.open(9, 'dev', {
      'behaviour.json': behaviour({ version: 'slow', health: 'hang' }),
    });
    await waitFor('#9 to run', async () => {
      const [newest] = await pulls.rehearsals(9);
      return (
        newest?.stages.some(({ name, state }) => name === 'rehearse' && state === 'running') || undefined
      );
    });
    await stage.repository.git('checkout', '-q', '-B', 'main', 'topic-9~1');
    const deployed = await stage.push('main', 'What dev has', {});
    const deployment = await stage.ended('prod', deployed);
    expect(deployment.outcome).toBe('deployed');
    const rehearsal = await pulls.ended(9, commit);
    expect(rehearsal).toMatchObject({
      outcome: 'failed',
      cause: matching(/^not healthy within 5 s/),
    });
    const begun: { started_at: string } = await stage.daemon
      .state('deployments')
      .where({ id: rehearsal.id })
      .first('started_at');
    expect(begun.started_at > String(deployment.finishedAt)).toBe(true);
    expect(await stage.daemon.tools.journal.get(rehearsal.id)).toMatchObject({ attempts: 1 });
    expect(await pulls.statuses(commit, 'rehearse/dev')).toHaveLength(2);
    await untouched();
    await pulls.close(9);
  });

  it('of a commit that no branch of the repository has is never run', async () => {
    const commit = await pulls.open(10, 'dev', { 'ten.txt': '10' });
    await pulls.ended(10, commit);
    pulls.add({ number: 11, title: '', head: 'topic-10', commit: 'a'.repeat(40), base: 'dev', url: '' });
    pulls.add({ number: 12, title: '', head: 'of-a-fork', commit, base: 'dev', url: '' });
    await stage.daemon.reconciler.look();
    pulls.add({ number: 13, title: '', head: 'topic-10', commit, base: 'dev', url: '' });
    await stage.daemon.reconciler.look();
    await pulls.ended(13, commit);
    expect(await pulls.rehearsals(11)).toEqual([]);
    expect(await pulls.rehearsals(12)).toEqual([]);
  });
});

describe('a pull request into production', () => {
  const stage = liveForAll({}, { instrument: (tools) => pulls.instrument(tools) });
  const pulls = new PullRequests(stage);

  it('says that the gate is closed, and is rehearsed again once it is open', async () => {
    const commit = await pulls.open(1, 'main', { 'behaviour.json': behaviour({ version: 'two' }) });
    expect((await pulls.ended(1, commit)).outcome).toBe('ok');
    expect((await pulls.statuses(commit, 'rehearse/prod')).at(-1)).toMatch(
      /^success passes on .*; the promotion gate is closed: see the page$/,
    );
    await stage.repository.push(`${commit}:dev`);
    await stage.ended('dev', commit);
    const again = await waitFor('the renewal', async () => {
      const all = await pulls.rehearsals(1);
      return all.length === 2 && all[0]?.outcome ? all[0] : undefined;
    });
    expect(again.suites.at(-1)).toMatchObject({ name: 'promotion', checks: [{ actual: 'is open' }] });
    await pulls.close(1);
  });

  it('that a dead daemon left is begun anew, and nothing of it stays', async () => {
    const { tools, state } = stage.daemon;
    const commit = await pulls.open(2, 'main', { 'two.txt': '2' });
    const { id } = await pulls.ended(2, commit);
    const live = await tools.journal.liveOf('prod');
    const own = live?.config && tools.generations(live.config);
    if (!own || !live?.generation) throw new Error('prod has no data');
    const left = await own.copy(own.open(live.generation));
    await state('deployments').where({ id }).update({ phase: 'running', outcome: null, finished_at: null });
    await stage.daemon.stop();
    await stage.start({ instrument: pulls.instrument });
    expect(await pulls.ended(2, commit)).toMatchObject({ id, outcome: 'ok' });
    const present = await readdir(join(stage.home, 'data', 'prod'));
    expect(present).toContain(live.generation);
    expect(present).not.toContain(left.id);
  });

  it('into an environment that has nothing live yet is tried on a database of its own', async () => {
    const { repository } = stage;
    await repository.git('checkout', '-q', '-B', 'next', 'dev');
    const file = (await repository.git('show', 'HEAD:environments/dev.yaml'))
      .replaceAll(/(name|branch): dev/g, '$1: next')
      .replace(/listen: .*/, `listen: 127.0.0.1:${await freePort()}`);
    const broken = await stage.push('next', 'A new environment', {
      'environments/next.yaml': file,
      'behaviour.json': behaviour({ version: 'one', start: 'crash' }),
    });
    await stage.daemon.reconciler.look();
    expect((await stage.ended('next', broken)).outcome).toBe('rejected');
    const commit = await pulls.open(3, 'next', { 'behaviour.json': behaviour({ version: 'mended' }) });
    expect(await pulls.ended(3, commit)).toMatchObject({ environment: 'next', outcome: 'ok' });
    expect(await readdir(join(stage.home, 'data', 'next'))).toEqual([]);
  });
});
