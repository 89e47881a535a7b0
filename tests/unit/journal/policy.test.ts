import { describe, expect, it } from 'vitest';
import { instanceRegistry } from '../../../deployer/deployment/instances.ts';
import { policyOf } from '../../../deployer/deployment/policy.ts';
import { scratchState } from '../scratch.ts';
import { COMMIT, openJournal, TREE } from './journal.ts';

const OTHER = 'b'.repeat(40);

describe('the promotion gate asks for the tree', () => {
  const ended = async (...commits: [commit: string, outcome: 'deployed' | 'rejected' | 'refused'][]) => {
    const scene = await openJournal();
    const policy = policyOf(scene.state);
    const end = async (commit: string, outcome: 'deployed' | 'rejected' | 'refused', tree = TREE) => {
      scene.clock.advance(1000);
      const id = await scene.at(outcome === 'deployed' ? 'live' : 'running', {
        commit,
        tree,
        request: { override: true },
      });
      await scene.journal.finish(id, outcome, null);
    };
    for (const [commit, outcome] of commits) await end(commit, outcome);
    return { ...scene, end, gate: async (tree = TREE) => (await policy.gate('dev', tree)).state };
  };

  it('and is open for a merge, a squash or a rebase of what was verified: only the tree is the same', async () => {
    const { gate } = await ended([COMMIT, 'deployed']);
    // The gate is never told the commit on the other branch.
    expect(await gate(TREE)).toBe('open');
  });

  it('and is closed, with the reason, for what was never deployed there', async () => {
    const { state } = await ended([COMMIT, 'deployed']);
    expect(await policyOf(state).gate('dev', 'f'.repeat(40))).toEqual({
      state: 'closed',
      reason: 'dev has not verified the tree ffffffff; deploy it to dev first',
    });
  });

  it.each(['rejected', 'refused'] as const)('and is closed for what was %s', async (outcome) => {
    const { gate } = await ended([COMMIT, outcome]);
    expect(await gate()).toBe('closed');
  });

  it('and is pending while it is verified, until that ends', async () => {
    const { journal, at, state } = await openJournal();
    const policy = policyOf(state);
    const id = await at('running');
    expect(await policy.gate('dev', TREE)).toEqual({ state: 'pending' });
    await journal.finish(id, 'rejected', null);
    expect(await policy.gate('dev', TREE)).toMatchObject({ state: 'closed' });
  });

  it('and is not opened by a rehearsal or by another environment', async () => {
    const { gate, at, journal } = await ended();
    await journal.finish(await at('running', { kind: 'rehearsal' }), 'ok', null);
    await journal.finish(await at('live', { environment: 'prod' }), 'deployed', null);
    expect(await gate()).toBe('closed');
  });

  it('and closes when the commit is rolled back by hand', async () => {
    const { gate, at, journal, clock } = await ended([COMMIT, 'deployed']);
    clock.advance(1000);
    const id = await at('live', { kind: 'rollback', commit: OTHER, request: { from: COMMIT } });
    await journal.finish(id, 'ok', null);
    expect(await gate()).toBe('closed');
  });

  it('and closes also when the same tree was there under another commit', async () => {
    const { gate, at, journal, clock } = await ended([COMMIT, 'deployed'], [OTHER, 'deployed']);
    clock.advance(1000);
    await journal.finish(
      await at('live', { kind: 'rollback', commit: 'd'.repeat(40), request: { from: COMMIT } }),
      'ok',
      null,
    );
    expect(await gate()).toBe('closed');
  });

  it('and the latest verdict counts: a rejection that was overcome does not close it for ever', async () => {
    const { gate, end } = await ended([COMMIT, 'rejected'], [COMMIT, 'deployed']);
    expect(await gate()).toBe('open');
    await end(COMMIT, 'rejected');
    expect(await gate()).toBe('closed');
    await end(OTHER, 'deployed');
    expect(await gate()).toBe('open');
  });
});

describe('a lock', () => {
  it('names its holder, since when and why, and what to do', async () => {
    const state = await scratchState();
    const policy = policyOf(state);
    expect(await policy.locked('dev')).toBeNull();
    expect(await policy.lockOf('dev')).toBeNull();
    const lock = { reason: 'the meeting', holder: 'ada', since: '2026-11-20T19:00:00.000Z' };
    await state('locks').insert({ environment: 'dev', ...lock });
    expect(await policy.lockOf('dev')).toEqual(lock);
    expect(await policy.locked('dev')).toBe(
      'dev is locked by ada since 2026-11-20T19:00:00.000Z: the meeting; unlock dev first',
    );
    expect(await policy.locked('prod')).toBeNull();
  });
});

describe('a quarantine', () => {
  it('is of a commit in an environment, and names the deployment and the way out', async () => {
    const { journal, state, at } = await openJournal();
    const id = await at('running');
    await journal.finish(id, 'rejected', null);
    const policy = policyOf(state);
    expect(await policy.quarantined('dev', COMMIT)).toBe(
      `c0ffee00 is quarantined since deployment ${id}; push a new commit, or deploy with --override --reason`,
    );
    expect(await policy.quarantined('dev', OTHER)).toBeNull();
    expect(await policy.quarantined('prod', COMMIT)).toBeNull();
  });
});

it('finds instances again, one in each slot', async () => {
  const registry = instanceRegistry(await scratchState());
  const blue = {
    environment: 'dev',
    slot: 'blue',
    deployment: 'one',
    process: { pid: 1, startTime: '10' },
    given: null,
  };
  const green = { ...blue, slot: 'green' };
  await registry.put(blue);
  await registry.put(green);
  const unit = { unit: 'datatracker@dev-blue.service', start: 'a', invocation: 'b' };
  const newer = { ...blue, deployment: 'two', process: unit, given: 'digest' };
  await registry.put(newer);
  expect(await registry.get('dev', 'blue')).toEqual(newer);
  expect(await registry.all()).toEqual(expect.arrayContaining([newer, green]));
  await registry.drop('dev', 'blue');
  expect(await registry.get('dev', 'blue')).toBeNull();
  expect(await registry.all()).toEqual([green]);
});
