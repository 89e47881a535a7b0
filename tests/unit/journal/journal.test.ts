import type { Knex } from 'knex';
import { describe, expect, it, vi } from 'vitest';
import type { Acceptance } from '../../../deployer/deployment/accept.ts';
import { Skipped } from '../../../deployer/deployment/journal.ts';
import { STAGES } from '../../../deployer/deployment/model.ts';
import { parseEnvironment } from '../../../environments/parse.ts';
import { COMMIT, openJournal, TREE, wanted } from './journal.ts';

const CONFIG = parseEnvironment(
  'name: dev\nbranch: dev\nlisten: 127.0.0.1:1\ncommands: { start: x }',
  'environments/dev.yaml',
);
const OTHER = 'b'.repeat(40);

describe('the details of a deployment', () => {
  it('have each stage that is over, also while it is written', async () => {
    const { journal, state } = await openJournal();
    const { id } = await journal.accept(wanted());
    await journal.begin(id);
    await journal.stage(id, 'preflight', async () => undefined);
    const written: Promise<void>[] = [];
    // Between the look at the stages and the next one.
    state.on('query-response', (_answer, { sql }: { sql: string }) => {
      if (written.length === 0 && /from .stages/.test(sql)) written.push(journal.suites(id, []));
    });
    const { stages } = (await journal.details(id)) ?? {};
    expect(stages?.[0]).toMatchObject({ name: 'preflight', state: 'done' });
    expect(await Promise.all(written)).toHaveLength(1);
  });
});

describe('accepting a deployment', () => {
  it('stores it with all its stages, an audit entry and the status pending', async () => {
    const { journal, state, reports } = await openJournal();
    const record = await journal.accept(wanted({ request: { override: true, reason: 'fire' } }));
    expect(record).toMatchObject({
      phase: 'waiting',
      outcome: null,
      attempts: 0,
      request: { reason: 'fire' },
    });
    expect(record.id).toMatch(/^20261120-190000-[0-9a-f]{6}$/);
    expect(await state('stages').where({ deployment_id: record.id })).toHaveLength(STAGES.length);
    expect(await state('audit').select('actor', 'action', 'detail')).toEqual([
      { actor: 'push', action: 'requested deploy', detail: 'c0ffee00 · override · fire' },
    ]);
    expect(await reports()).toMatchObject([
      {
        context: 'deploy/dev',
        state: 'pending',
        commit: COMMIT,
        targetUrl: `http://deployer.example/deployments/${record.id}`,
      },
    ]);
  });

  it('leaves nothing behind when what goes with it fails', async () => {
    const { journal, state } = await openJournal();
    const first = await journal.accept(wanted());
    const changes = vi.fn<(id: string) => void>();
    journal.onChange(changes);
    const count = async () =>
      Promise.all(['deployments', 'stages', 'audit', 'outbox'].map((name) => state(name).count('* as n')));
    const before = await count();
    const failing = journal.accept(wanted({ commit: OTHER }), async (trx) => {
      await trx('environments').update({ handled_head: OTHER });
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(await count()).toEqual(before);
    expect(await state('environments').first('handled_head')).toEqual({ handled_head: null });
    expect((await journal.get(first.id)).phase).toBe('waiting');
    expect(changes).not.toHaveBeenCalled();
  });

  it('supersedes what still waits in the environment, and only that', async () => {
    const { journal, state } = await openJournal();
    await state('environments').insert({ name: 'prod', branch: 'main' });
    const running = await journal.accept(wanted());
    await journal.begin(running.id);
    const elsewhere = await journal.accept(wanted({ environment: 'prod' }));
    const rehearsal = await journal.accept(wanted({ kind: 'rehearsal' }));
    const older = await journal.accept(wanted({ commit: OTHER }));
    const newer = await journal.accept(wanted({ commit: 'd'.repeat(40) }));
    const phases = await Promise.all(
      [running, elsewhere, rehearsal, older, newer].map(async ({ id }) => (await journal.get(id)).phase),
    );
    expect(phases).toEqual(['running', 'waiting', 'waiting', 'finished', 'waiting']);
    expect(await journal.get(older.id)).toMatchObject({
      outcome: 'superseded',
      cause: `a newer request, ${newer.id}, took its place`,
    });
  });

  it('of a commit that waits already leaves pending as the last status', async () => {
    const { journal, statuses } = await openJournal();
    await journal.accept(wanted());
    await journal.accept(wanted({ request: { override: true } }));
    expect(await statuses()).toEqual(['deploy/dev pending', 'deploy/dev error', 'deploy/dev pending']);
  });

  it('of the commit that is the newest already joins it', async () => {
    const { journal, at, state } = await openJournal();
    const id = await at('running');
    const also = async (trx: Knex) => void (await trx('environments').update({ handled_head: COMMIT }));
    expect((await journal.accept(wanted(), also)).id).toBe(id);
    expect(await state('environments').first('handled_head')).toEqual({ handled_head: COMMIT });
    expect(await state('deployments').select('id')).toEqual([{ id }]);
  });

  it('of the same way back by a second person joins the first, and another way takes its place', async () => {
    const { journal } = await openJournal();
    const back = (request: Acceptance['request']) => journal.accept(wanted({ kind: 'rollback', request }));
    const first = await back({ target: 'two', from: OTHER });
    expect((await back({ target: 'two', from: OTHER, reason: 'slow' })).id).toBe(first.id);
    expect((await back({ target: 'two', restoreBackup: true })).id).not.toBe(first.id);
    const other = await back({ target: 'one' });
    expect((await journal.get(first.id)).outcome).toBe('superseded');
    expect((await journal.accept(wanted({ commit: COMMIT }))).id).not.toBe(other.id);
  });

  it('by a push comes after what a person wants back, and after what passes a gate by hand', async () => {
    const { journal } = await openJournal();
    for (const asked of [
      wanted({ kind: 'rollback', automatic: false, request: { target: 'one' } }),
      wanted({ kind: 'restore', automatic: false, request: { backup: 'b' } }),
      wanted({ automatic: false, request: { override: true, reason: 'r' } }),
    ]) {
      const byHand = await journal.accept(asked);
      const push = await journal.accept(wanted({ commit: OTHER, automatic: true }));
      expect(await journal.next('dev')).toMatchObject({ id: byHand.id });
      await journal.begin(byHand.id);
      expect(await journal.next('dev')).toMatchObject({ id: push.id });
      await journal.restart(byHand.id);
      expect(await journal.next('dev')).toMatchObject({ id: byHand.id });
      await journal.begin(byHand.id);
      await journal.finish(byHand.id, 'failed', null);
    }
  });

  it('by a push takes the place of a commit that a person wanted, and a person’s of a push', async () => {
    const { journal } = await openJournal();
    const asked = await journal.accept(wanted({ automatic: false }));
    const push = await journal.accept(wanted({ commit: OTHER, automatic: true }));
    const back = await journal.accept(
      wanted({ kind: 'rollback', automatic: false, request: { target: 'one' } }),
    );
    for (const { id } of [asked, push]) expect((await journal.get(id)).outcome).toBe('superseded');
    expect(await journal.next('dev')).toMatchObject({ id: back.id });
  });

  it.each([
    ['leaves the head that a lock keeps waiting', true, COMMIT, null],
    ['of a newer head takes the place of what waits', true, OTHER, 'superseded'],
    ['takes the place of a head that no lock keeps waiting', false, COMMIT, 'superseded'],
  ] as const)('with an override %s', async (_, isLocked, head, outcome) => {
    const { journal, state } = await openJournal();
    const handled = (commit: string) => async (trx: Knex) =>
      void (await trx('environments').update({ handled_head: commit }));
    const push = await journal.accept(wanted({ automatic: true }), handled(COMMIT));
    if (isLocked)
      await state('locks').insert({ environment: 'dev', reason: 'r', holder: 'ada', since: 'now' });
    const override = wanted({ commit: OTHER, automatic: false, request: { override: true } });
    const passing = await journal.accept(override, handled(head));
    expect((await journal.get(push.id)).outcome).toBe(outcome);
    expect(await journal.next('dev')).toMatchObject({ id: passing.id });
  });

  it('of a commit that gives way to a newer one does not join it: the last request wins', async () => {
    const { journal, at } = await openJournal();
    const running = await at('running');
    const between = await journal.accept(wanted({ commit: OTHER }));
    const again = await journal.accept(wanted());
    expect(again.id).not.toBe(running);
    expect(again.phase).toBe('waiting');
    expect((await journal.get(between.id)).outcome).toBe('superseded');
  });

  it('as a rehearsal supersedes nothing and tells nothing', async () => {
    const { journal, statuses } = await openJournal();
    const waiting = await journal.accept(wanted());
    await journal.accept(wanted({ kind: 'rehearsal' }));
    expect((await journal.get(waiting.id)).phase).toBe('waiting');
    expect(await statuses()).toEqual(['deploy/dev pending']);
  });
});

describe('the end of a deployment', () => {
  it.each([
    ['rejected', 'failure', true],
    ['needs_attention', 'error', true],
    ['refused', 'error', false],
    ['superseded', 'error', false],
    ['deployed', 'success', false],
  ] as const)('%s is told once as %s; quarantined: %s', async (outcome, status, quarantines) => {
    const { journal, at, statuses, quarantined } = await openJournal();
    const id = await at('running');
    await journal.finish(id, outcome, 'because');
    expect(await statuses()).toEqual(['deploy/dev pending', `deploy/dev ${status}`]);
    expect(await quarantined()).toEqual(quarantines ? [COMMIT] : []);
    await expect(journal.finish(id, 'deployed', null)).rejects.toThrow('cannot go from finished to finished');
    expect(await statuses()).toHaveLength(2);
  });

  it('rejected by no fault of the commit quarantines nothing', async () => {
    const { journal, at, quarantined, statuses } = await openJournal();
    await journal.finish(await at('running'), 'rejected', 'the disk is full', { isTransient: true });
    expect(await quarantined()).toEqual([]);
    expect((await statuses()).at(-1)).toBe('deploy/dev failure');
  });

  it.each([
    ['deploy', 'deployed', []],
    ['deploy', 'refused', [COMMIT]],
    ['rollback', 'ok', []],
    ['rollback', 'failed', [COMMIT]],
  ] as const)('of a %s that is %s leaves quarantined: %j', async (kind, outcome, left) => {
    const { journal, at, quarantined } = await openJournal();
    await journal.finish(await at('running'), 'rejected', null);
    await journal.finish(await at('running', { kind }), outcome, null);
    expect(await quarantined()).toEqual(left);
  });

  it('rolled back is a failure, quarantined, and asks for a revert', async () => {
    const { journal, at, reports, quarantined } = await openJournal();
    const id = await at('reverting');
    await journal.note(id, { config: CONFIG });
    await journal.finish(id, 'rolled_back', 'settle: health answered 500, expected 200');
    expect(await quarantined()).toEqual([COMMIT]);
    expect((await reports()).slice(1)).toMatchObject([
      { type: 'revert', commit: COMMIT, branch: 'dev', how: 'pull-request', deployment: id },
      {
        type: 'status',
        state: 'failure',
        description: 'rolled back: settle: health answered 500, expected 200',
      },
    ]);
  });

  it('of a rollback by hand quarantines the commit that it took back, and fails its status', async () => {
    const { journal, at, reports, quarantined } = await openJournal();
    const more = { kind: 'rollback', commit: OTHER, requestedBy: 'ada', request: { from: COMMIT } } as const;
    const id = await at('live', more);
    await journal.finish(id, 'ok', null);
    expect(await quarantined()).toEqual([COMMIT]);
    expect(await reports()).toMatchObject([
      {
        commit: COMMIT,
        context: 'deploy/dev',
        state: 'failure',
        description: 'rolled back: by ada',
      },
    ]);
  });

  it('of a rollback by hand that failed quarantines nothing and tells nothing', async () => {
    const { journal, at, reports, quarantined } = await openJournal();
    const id = await at('running', { kind: 'rollback', commit: OTHER, request: { from: COMMIT } });
    await journal.finish(id, 'failed', 'no');
    expect([await quarantined(), await reports()]).toEqual([[], []]);
  });

  it('leaves nothing behind when what goes with it fails', async () => {
    const { journal, at, statuses, quarantined } = await openJournal();
    const id = await at('running');
    const failing = journal.finish(id, 'rejected', 'because', {
      also: async () => {
        throw new Error('disk full');
      },
    });
    await expect(failing).rejects.toThrow('disk full');
    expect((await journal.get(id)).phase).toBe('running');
    expect([await statuses(), await quarantined()]).toEqual([['deploy/dev pending'], []]);
  });

  it('marks the stages that it did not reach', async () => {
    const { journal, at } = await openJournal();
    const id = await at('running');
    await journal.stage(id, 'preflight', async () => undefined);
    await journal.finish(id, 'superseded', null);
    const stages = (await journal.details(id))?.stages ?? [];
    expect(stages.map(({ state }) => state)).toEqual(['done', ...STAGES.slice(1).map(() => 'skipped')]);
    expect(stages.at(-1)).toEqual({
      name: 'finish',
      state: 'skipped',
      durationMs: null,
      cause: 'not reached',
    });
  });

  it('tells suites once it is live, and at its end a tag and the sum of checks', async () => {
    const { journal, at, reports } = await openJournal();
    const id = await at('switching');
    const check = {
      name: 'GET /',
      success: true,
      expected: '200',
      actual: 'gave 200',
      hint: null,
      location: null,
    };
    await journal.suites(id, [{ name: 'routes', success: true, durationMs: 12, checks: [check, check] }]);
    await journal.live(id);
    const told = { context: 'verify/dev/routes', state: 'success', description: '2 checks passed in 12 ms' };
    expect((await reports()).slice(1)).toMatchObject([told]);
    await journal.note(id, { tag: 'v2026.11.20' });
    await journal.finish(id, 'deployed', null);
    expect((await reports()).slice(1)).toMatchObject([
      told,
      {
        type: 'tag',
        name: 'v2026.11.20',
        message: [
          `Deployment ${id} to dev`,
          'Pull requests:\n- none',
          'Migrations:\n- none',
          'Verification:\n- routes: 2 checks passed in 12 ms',
        ].join('\n\n'),
      },
      { context: 'deploy/dev', state: 'success', description: 'deployed: 2 checks in 1 suites passed' },
    ]);
  });

  it('tells what its verification found, once, when it fails before it is live', async () => {
    const { journal, at, reports } = await openJournal();
    const id = await at('running');
    await journal.suites(id, [{ name: 'routes', success: false, durationMs: 12, checks: [] }]);
    await journal.finish(id, 'rejected', 'routes');
    expect((await reports()).slice(1)).toMatchObject([
      { context: 'verify/dev/routes', state: 'failure' },
      { context: 'deploy/dev', state: 'failure' },
    ]);
  });

  it('says its first cause in one line of at most 140 characters', async () => {
    const { journal, at, reports } = await openJournal();
    await journal.finish(await at('running'), 'rejected', `npm ci failed\n\u001b[31m${'x'.repeat(500)}`);
    const status = (await reports()).at(-1);
    const description = status?.type === 'status' ? status.description : '';
    expect(description).toMatch(/^rejected: npm ci failed \[31mx+…$/);
    expect(description).toHaveLength(140);
  });
});

describe('a transition that the table does not have', () => {
  it('is refused and changes nothing', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    await expect(journal.live(id)).rejects.toThrow('cannot go from waiting to live');
    await expect(journal.phase(id, 'reverting')).rejects.toThrow('cannot go from waiting to reverting');
    expect(await journal.get(id)).toMatchObject({ phase: 'waiting', liveAt: null });
    expect(await journal.liveOf('dev')).toBeNull();
  });

  it('is refused for a deployment that does not exist', async () => {
    const { journal } = await openJournal();
    await expect(journal.begin('nobody')).rejects.toThrow('there is no deployment nobody');
  });
});

describe('after a crash', () => {
  it('a deployment that had not switched starts afresh and counts its attempts', async () => {
    const { journal, at, state } = await openJournal();
    const id = await at('switching');
    await journal.stage(id, 'preflight', async () => undefined);
    await journal.note(id, { slot: 'green', generation: 'g2' });
    await journal.suites(id, [{ name: 'routes', success: true, durationMs: 1, checks: [] }]);
    await journal.restart(id);
    expect(await journal.get(id)).toMatchObject({
      phase: 'waiting',
      slot: null,
      generation: null,
      attempts: 1,
    });
    expect(await journal.details(id)).toMatchObject({ suites: [], outcome: null });
    const untouched = { state: 'waiting', started_at: null, duration_ms: null, cause: null };
    for (const stage of await state('stages').where({ deployment_id: id }))
      expect(stage).toMatchObject(untouched);
    await journal.begin(id);
    expect(await journal.get(id)).toMatchObject({ phase: 'running', attempts: 2 });
  });

  it('gives way to a newer one that waits: an older commit is not deployed after it', async () => {
    const { journal, at } = await openJournal();
    const older = await at('running');
    const newer = await journal.accept(wanted({ commit: OTHER }));
    await journal.restart(older);
    expect(await journal.get(older)).toMatchObject({ phase: 'finished', outcome: 'superseded' });
    expect(await journal.newest('dev', ['waiting'])).toMatchObject({ id: newer.id });
  });

  it('what is live does not start afresh', async () => {
    const { journal, at } = await openJournal();
    await expect(journal.restart(await at('live'))).rejects.toThrow('cannot go from live to waiting');
  });
});

describe('stages', () => {
  it('keep their time, their end and why they were skipped or failed', async () => {
    const { journal, at, state: rows } = await openJournal();
    const id = await at('running');
    const seen: (string | undefined)[] = [];
    const state = async () => (await journal.details(id))?.stages[0]?.state;
    await journal.stage(id, 'preflight', async () => void seen.push(await state()));
    await journal.stage(id, 'hold', async () => new Skipped('nothing to migrate'));
    // Read as it is, stored with what is stored next: no write waits for the disk for their sake.
    expect((await journal.details(id))?.stages.find(({ name }) => name === 'hold')?.state).toBe('skipped');
    const stored = async (name: string) =>
      (await rows('stages').where({ deployment_id: id, name }).first()).state;
    expect([await stored('preflight'), await stored('hold')]).toEqual(['waiting', 'waiting']);
    await journal.suites(id, []);
    expect([await stored('preflight'), await stored('hold')]).toEqual(['done', 'skipped']);
    const failing = journal.stage(id, 'boot', () => Promise.reject(new Error('exited\nwith 1')));
    await expect(failing).rejects.toThrow('exited\nwith 1');
    const stages = new Map((await journal.details(id))?.stages.map((stage) => [stage.name, stage]));
    expect(seen).toEqual(['running']);
    expect(stages.get('preflight')).toEqual({
      name: 'preflight',
      state: 'done',
      durationMs: expect.any(Number),
      cause: null,
    });
    expect(stages.get('hold')).toMatchObject({ state: 'skipped', cause: 'nothing to migrate' });
    expect(stages.get('boot')).toMatchObject({ state: 'failed', cause: 'exited with 1' });
    await journal.finish(id, 'rejected', null);
    expect(await stored('boot')).toBe('failed');
    expect(stages.get('finish')).toMatchObject({ state: 'waiting', durationMs: null });
  });
});

describe('what is live', () => {
  it('is the deployment that went live last, and again the earlier one when that was taken back', async () => {
    const { journal, at } = await openJournal();
    expect(await journal.liveOf('dev')).toBeNull();
    const first = await at('live');
    await journal.finish(first, 'deployed', null);
    const second = await at('live', { commit: OTHER });
    expect((await journal.liveOf('dev'))?.id).toBe(second);
    await journal.phase(second, 'reverting');
    await journal.takenBack(second, first, { slot: 'blue', generation: 'g3' });
    expect(await journal.liveOf('dev')).toMatchObject({ id: first, slot: 'blue', generation: 'g3' });
  });
});

it('shows a deployment exactly in the shape of the contract', async () => {
  const { journal, at } = await openJournal();
  const id = await at('live');
  await journal.suites(id, [{ name: 'service', success: true, durationMs: 1, checks: [] }]);
  await journal.finish(id, 'deployed', null);
  const details = await journal.details(id);
  expect(details).toEqual({
    id,
    kind: 'deploy',
    environment: 'dev',
    branch: 'dev',
    commit: COMMIT,
    tree: TREE,
    outcome: 'deployed',
    cause: null,
    requestedBy: 'push',
    requestedAt: '2026-11-20T19:00:00.000Z',
    liveAt: '2026-11-20T19:00:00.000Z',
    finishedAt: '2026-11-20T19:00:00.000Z',
    tag: null,
    stages: STAGES.map((name) => ({ name, state: 'skipped', durationMs: null, cause: 'not reached' })),
    suites: [{ name: 'service', success: true, durationMs: 1, checks: [] }],
  });
  expect(await journal.details('nobody')).toBeNull();
});

it('calls back after each change until told to stop', async () => {
  const { journal } = await openJournal();
  const seen: string[] = [];
  const stop = journal.onChange((id) => seen.push(id));
  const { id } = await journal.accept(wanted());
  await journal.begin(id);
  stop();
  await journal.phase(id, 'switching');
  expect(seen).toEqual([id, id]);
});
