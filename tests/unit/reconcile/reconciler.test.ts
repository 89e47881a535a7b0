import { describe, expect, it, onTestFinished } from 'vitest';
import { policyOf } from '../../../deployer/deployment/policy.ts';
import type { Outcome } from '../../../deployer/deployment/model.ts';
import { createReconciler } from '../../../deployer/reconcile/reconciler.ts';
import { openJournal } from '../journal/journal.ts';
import { fullDisk, scratchState, seeded, silent } from '../scratch.ts';
import { environment, FakeMirror } from './fake-mirror.ts';

const FILES = {
  'dev.yaml': environment('dev', 'dev'),
  'prod.yaml': environment('prod', 'main', { requires: 'dev' }),
};
const ONE = { 'dev.yaml': FILES['dev.yaml'] };

async function scene() {
  const mirror = new FakeMirror();
  const state = await scratchState();
  const { journal, clock } = await openJournal(state);
  await state('environments').delete();
  const kicked: string[] = [];
  const seen: string[] = [];
  let trouble: string | null = null;
  let obstacle: string | null = null;
  const open = () => {
    const reconciler = createReconciler({
      state,
      mirror,
      journal,
      policy: policyOf(state),
      conductor: { kick: async (name) => void kicked.push(name) },
      onEnvironment: async ({ name }) => {
        seen.push(name);
        if (name === trouble) throw new Error('no front door');
      },
      obstacle: () => obstacle,
      intervalMs: 10,
      logger: silent,
    });
    onTestFinished(() => reconciler.stop());
    return reconciler;
  };
  const all = async (name = 'dev') =>
    state('deployments')
      .where({ environment: name })
      .orderBy('seq')
      .select('id', 'commit', 'phase', 'outcome');

  /** Brings what waits in an environment to its end, as the conductor would. */
  async function run(name: string, outcome: Outcome = 'deployed'): Promise<void> {
    const waiting = await journal.newest(name, ['waiting']);
    if (!waiting) return;
    clock.advance(1000);
    await journal.begin(waiting.id);
    if (outcome === 'deployed') {
      await journal.phase(waiting.id, 'switching');
      await journal.live(waiting.id);
    }
    await journal.finish(waiting.id, outcome, null);
  }
  return {
    mirror,
    state,
    journal,
    open,
    run,
    kicked,
    seen,
    commits: async (name?: string) => (await all(name)).map(({ commit }: { commit: string }) => commit),
    all,
    fail: (name: string | null) => (trouble = name),
    obstruct: (why: string | null) => (obstacle = why),
    live: async (name = 'dev') => (await journal.liveOf(name))?.commit,
  };
}

describe('a look', () => {
  it('stores one deployment of a new head, for the conductor to run', async () => {
    const { mirror, open, all, kicked, seen, state } = await scene();
    const head = mirror.push('dev', 'first', ONE);
    const reconciler = open();
    await reconciler.look();
    await reconciler.look();
    expect(await all()).toMatchObject([{ commit: head, phase: 'waiting' }]);
    expect(await state('environments').first('branch', 'handled_head')).toEqual({
      branch: 'dev',
      handled_head: head,
    });
    expect(await state('deployments').where({ automatic: true }).first('tree', 'requested_by')).toEqual({
      tree: mirror.treeOf(head),
      requested_by: 'push',
    });
    expect([kicked, seen]).toEqual([
      ['dev', 'dev'],
      ['dev', 'dev'],
    ]);
  });

  it('takes the newest head and lets what still waited go', async () => {
    const { mirror, open, all } = await scene();
    const reconciler = open();
    const first = mirror.push('dev', 'first', ONE);
    await reconciler.look();
    const second = mirror.push('dev', 'second', ONE);
    await reconciler.look();
    expect(await all()).toMatchObject([
      { commit: first, outcome: 'superseded' },
      { commit: second, phase: 'waiting' },
    ]);
  });

  it('deploys an older commit again when the branch was pushed back to it', async () => {
    const { mirror, open, run, commits, live } = await scene();
    const reconciler = open();
    const older = mirror.push('dev', 'older', ONE);
    await reconciler.look();
    await run('dev');
    const newer = mirror.push('dev', 'newer', ONE);
    await reconciler.look();
    await run('dev');
    mirror.forge.set('dev', older);
    await reconciler.look();
    await run('dev');
    expect(await commits()).toEqual([older, newer, older]);
    expect(await live()).toBe(older);
  });

  it('tells a head once what the host refuses it for, shows it, and deploys it when that is mended', async () => {
    const { mirror, open, run, commits, obstruct } = await scene();
    const reconciler = open();
    obstruct('dev.env:1: expected NAME=value');
    const head = mirror.push('dev', 'first', ONE);
    for (let look = 0; look < 3; look += 1) {
      await reconciler.look();
      await run('dev', 'refused');
    }
    expect(await commits()).toEqual([head]);
    expect(reconciler.problems()).toEqual(['dev: dev.env:1: expected NAME=value']);
    obstruct(null);
    await reconciler.look();
    expect(await commits()).toEqual([head, head]);
    expect(reconciler.problems()).toEqual([]);
  });

  it('leaves a quarantined commit alone, also when the branch is pushed back to it', async () => {
    const { mirror, open, run, commits } = await scene();
    const reconciler = open();
    const bad = mirror.push('dev', 'bad', ONE);
    await reconciler.look();
    await run('dev', 'rejected');
    await reconciler.look();
    const good = mirror.push('dev', 'good', ONE);
    await reconciler.look();
    await run('dev');
    mirror.forge.set('dev', bad);
    await reconciler.look();
    expect(await commits()).toEqual([bad, good]);
  });

  it('that fails is a problem to show, rejects nothing, and is made again', async () => {
    const { mirror, open, commits } = await scene();
    const reconciler = open();
    mirror.fetching = () => Promise.reject(new Error('could not resolve host'));
    await reconciler.look();
    expect(reconciler.problems()).toEqual(['the branches could not be looked at: could not resolve host']);
    mirror.fetching = async () => {};
    const head = mirror.push('dev', 'first', ONE);
    await reconciler.look();
    expect(reconciler.problems()).toEqual([]);
    expect(await commits()).toEqual([head]);
  });

  it('goes on with the other environments when one is in trouble', async () => {
    const { mirror, open, commits, fail } = await scene();
    const reconciler = open();
    mirror.push('dev', 'x', FILES);
    const main = mirror.push('main', 'x', FILES);
    fail('dev');
    await reconciler.look();
    expect(reconciler.problems()).toEqual(['dev: no front door']);
    expect([await commits('dev'), await commits('prod')]).toEqual([[], [main]]);
    fail(null);
    await reconciler.look();
    expect(await commits('dev')).toHaveLength(1);
  });

  it('stores the head and the deployment together, or neither', async () => {
    const { mirror, open, commits, state } = await scene();
    const reconciler = open();
    const head = mirror.push('dev', 'first', ONE);
    const mend = await fullDisk(state, 'environments');
    await reconciler.look();
    expect(await commits()).toEqual([]);
    await mend();
    await reconciler.look();
    expect(await commits()).toEqual([head]);
  });
});

describe('looks at once', () => {
  it('are one, and a call during a look makes one more follow it', async () => {
    const { mirror, open } = await scene();
    const reconciler = open();
    const gate = Promise.withResolvers<void>();
    mirror.fetching = () => gate.promise;
    const first = reconciler.look();
    const during = Array.from({ length: 100 }, () => reconciler.look());
    mirror.push('dev', 'pushed after the fetch began', ONE);
    gate.resolve();
    await Promise.all([first, ...during]);
    expect(mirror.fetches).toBe(2);
    await reconciler.look();
    expect(mirror.fetches).toBe(3);
  });

  it('do not end before the head that was pushed before them was handled', async () => {
    const { mirror, open, commits } = await scene();
    const reconciler = open();
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    // The first look has read the branches before the push.
    mirror.fetching = async () => {
      mirror.fetching = async () => {};
      begun.resolve();
      await held.promise;
      mirror.forge.delete('dev');
    };
    const first = reconciler.look();
    await begun.promise;
    const second = reconciler.look();
    held.resolve();
    await first;
    const head = mirror.push('dev', 'late', ONE);
    await second;
    expect(await commits()).toEqual([head]);
  });

  it('are made at the interval, with no webhook at all', async () => {
    const { mirror, open, commits } = await scene();
    const reconciler = open();
    const head = mirror.push('dev', 'first', ONE);
    reconciler.start();
    await expect.poll(() => commits()).toEqual([head]);
    await reconciler.stop();
    const { fetches } = mirror;
    await reconciler.look();
    // A stopped one looks no more: a late look would raise what was just stopped.
    expect(mirror.fetches).toBe(fetches);
  });
});

describe('a promotion', () => {
  it('waits while the required environment verifies, and is taken up as soon as that has ended', async () => {
    const { mirror, open, run, commits } = await scene();
    const reconciler = open();
    mirror.push('dev', 'x', FILES);
    const main = mirror.push('main', 'merge of x', FILES);
    await reconciler.look();
    expect(await commits('prod')).toEqual([]);
    await run('dev');
    await expect.poll(() => commits('prod')).toEqual([main]);
  });

  it('that was refused is taken up when the gate opens, exactly once', async () => {
    const { mirror, open, run, all, live } = await scene();
    const reconciler = open();
    const main = mirror.push('main', 'pushed past dev', FILES);
    await reconciler.look();
    await run('prod', 'refused');
    await reconciler.look();
    expect(await all('prod')).toMatchObject([{ outcome: 'refused' }]);
    mirror.push('dev', 'the same tree', FILES);
    await reconciler.look();
    await run('dev');
    await expect
      .poll(() => all('prod'))
      .toMatchObject([{ outcome: 'refused' }, { commit: main, phase: 'waiting' }]);
    await reconciler.look();
    await run('prod');
    for (let round = 0; round < 3; round += 1) await reconciler.look();
    expect(await all('prod')).toMatchObject([{ outcome: 'refused' }, { outcome: 'deployed' }]);
    expect(await live('prod')).toBe(main);
  });

  it('whose tree was rejected is told by its own deployment', async () => {
    const { mirror, open, run, all } = await scene();
    const reconciler = open();
    mirror.push('dev', 'x', FILES);
    mirror.push('main', 'merge of x', FILES);
    await reconciler.look();
    await run('dev', 'rejected');
    await expect.poll(() => all('prod')).toMatchObject([{ phase: 'waiting' }]);
  });
});

it.each([1, 2, 3])(
  'with webhooks lost, doubled and shuffled, and restarts, the final head is live (%i)',
  async (seed) => {
    const { mirror, open, run, live, state } = await scene();
    const random = seeded(seed);
    let reconciler = open();
    const history: string[] = [];
    for (let step = 0; step < 150; step += 1) {
      const back = history[Math.floor(random() * history.length)];
      if (back && random() < 0.3) mirror.forge.set('dev', back);
      else history.push(mirror.push('dev', `commit ${step}`, ONE));
      const looks = random() < 0.3 ? 0 : random() < 0.3 ? 2 : 1;
      const looking = Array.from({ length: looks }, () => reconciler.look());
      if (random() < 0.5) await run('dev', random() < 0.1 ? 'refused' : 'deployed');
      await Promise.all(looking);
      if (random() < 0.15) {
        await reconciler.stop();
        reconciler = open();
      }
    }
    // What the interval does at last, whatever was lost.
    for (let round = 0; round < 3; round += 1) {
      await reconciler.look();
      await run('dev');
    }
    expect(await live()).toBe(mirror.forge.get('dev'));
    expect(await state('deployments').whereNot({ phase: 'finished' })).toEqual([]);
  },
);
