import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MOVED, Ordeal, steps } from '../kit/ordeal.ts';
import { behaviour } from '../kit/repository.ts';

/** Two deaths in one deployment: it is begun again each time, and the third attempt may end it. */
const pairs = (stages: string[]) => {
  const all = stages.flatMap((stage) => [`in ${stage}`, `did ${stage}`]);
  const half = Math.ceil(all.length / 2);
  return all.slice(0, half).map((first, index) => [first, all[half + index] ?? 'in switch']);
};

describe.each([
  {
    what: 'code alone',
    migration: false,
    stages: ['fetch', 'release', 'rehearse', 'boot', 'verify'],
    switched: 'after point',
  },
  {
    what: 'a migration',
    migration: true,
    stages: ['preflight', 'fetch', 'rehearse', 'backup', 'hold', 'migrate', 'boot', 'verify'],
    switched: 'after switchTo',
  },
])('a deployment of $what, with visitors, when the daemon is killed', ({ migration, stages, switched }) => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ backups: { 'before-deploy': true } });
  });
  beforeEach(() => void ordeal.open());
  afterAll(() => ordeal.machine.strike());

  it.each(pairs(stages))('%s and then %s, is live in the end', async (first = '', second = '') => {
    const { version, files } = ordeal.next({ migration });
    expect(await ordeal.push(files, steps(first, second))).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('between any two effects of the switch and after it, is live in the end', async () => {
    const { version, files } = ordeal.next({ migration });
    const switching = ['after phase switching', switched, 'after setCurrent', 'in settle', 'did settle'];
    const kills = steps(...switching, 'in finish', 'did finish', 'after finish deployed');
    expect(await ordeal.push(files, kills)).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('again and again while it recovers, is live in the end', async () => {
    const { version, files } = ordeal.next({ migration });
    const removal = migration ? ['before remove', 'after remove'] : [];
    const kills = steps('did verify', 'before letGo', 'after letGo', ...removal, 'before restart');
    expect(await ordeal.push(files, kills)).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('each time that it is tried, is given up as rejected, and what was live is untouched', async () => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ migration });
    expect(await ordeal.push(files, steps('in boot', 'in boot', 'in boot'))).toMatchObject({
      outcome: 'rejected',
      cause: 'the deployer died 3 times during this deployment',
    });
    expect(await ordeal.findings({ version })).toEqual([]);
  });
});

describe('the way back, with visitors, when the daemon is killed', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ cutover: { hold: '6s', settle: '10s' } });
  });
  beforeEach(() => void ordeal.open());
  afterAll(() => ordeal.machine.strike());

  it('from a release that fails once it is live, by pointer, ends where it was', async () => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ sickLive: true });
    const kills = steps(
      'after phase reverting',
      'after point',
      'after takenBack',
      'before finish rolled_back',
    );
    expect(await ordeal.push(files, kills)).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringContaining('health answered 503') as string,
    });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('from a release that fails once it is live, is found also after a longer absence than it was to be watched', async () => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ sickLive: true });
    const file = await ordeal.machine.repository.git('show', 'HEAD:environments/dev.yaml');
    ordeal.machine.arm({ step: 'in settle' });
    const commit = await ordeal.machine.push('Watched for 1 s', {
      ...files,
      'environments/dev.yaml': file.replace('settle: 10s', 'settle: 1s'),
    });
    await ordeal.machine.killAt({ step: 'in settle' });
    await sleep(1000);
    await ordeal.machine.boot();
    expect(await ordeal.machine.ended(commit)).toMatchObject({ outcome: 'rolled_back' });
    expect(await ordeal.findings({ version })).toEqual([]);
    await ordeal.machine.push('Watched for 10 s', {
      'environments/dev.yaml': file,
      'behaviour.json': behaviour({ version }),
    });
    await ordeal.machine.atRest();
  });

  it('from a migration that is taken down again, keeps what was written before, during and after it', async () => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ sickLive: true, table: 'remarks' });
    const moved = { ...files, 'migrations/002_moved.json': JSON.stringify(MOVED) };
    const held = ['after lock', 'after copy', 'after note generation', 'after switchTo', 'after setCurrent'];
    const kills = steps('after phase reverting', ...held, 'after takenBack', 'before finish rolled_back');
    expect(await ordeal.push(moved, kills)).toMatchObject({ outcome: 'rolled_back' });
    expect(await ordeal.findings({ version })).toEqual([]);
    await ordeal.machine.push('Without it', {
      'behaviour.json': behaviour({ version: 'whole' }),
      'migrations/002_moved.json': null,
    });
    await ordeal.machine.atRest();
  });

  it.each([
    ['did hold', 'did migrate'],
    ['after phase switching', 'after switchTo', 'did finish'],
  ])('asked for by a person, %s and then %s, ends on the earlier release', async (...kills) => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ table: 'remarks' });
    await ordeal.push({ ...files, 'migrations/002_moved.json': JSON.stringify(MOVED) }, []);
    await ordeal.machine.atRest();
    const [first, ...later] = steps(...kills);
    ordeal.machine.arm(first ?? null);
    await ordeal.machine.rollback();
    await ordeal.survive(first ? [first, ...later] : []);
    expect(await ordeal.findings({ version, outcome: 'ok' })).toEqual([]);
  });
});
