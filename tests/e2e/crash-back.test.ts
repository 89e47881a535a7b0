import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { MOVED, Ordeal, steps } from '../kit/ordeal.ts';
import { behaviour } from '../kit/repository.ts';

describe('the way back, with visitors, when the daemon is killed', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ cutover: { hold: '20s', settle: '10s' } });
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
      cause: expect.stringContaining('GET /_deploy/health answered 503') as string,
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
    const held = ['after beginCopy', 'after lock', 'after complete', 'after note generation'];
    const switched = ['after switchTo', 'after setCurrent', 'after takenBack'];
    const kills = steps('after phase reverting', ...held, ...switched, 'before finish rolled_back');
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

  it('from a release that knows no DEPLOYMENT_MODE, whose jobs go on to its end, loses nothing that these store', async () => {
    const jobs = { noMode: true, background: 10 };
    const { version, files: before } = ordeal.next(jobs);
    await ordeal.push({ ...before, 'migrations/002_moved.json': null }, []);
    await ordeal.machine.atRest();
    const { files } = ordeal.next({ ...jobs, table: 'remarks', sickLive: true });
    const moved = { ...files, 'migrations/002_moved.json': JSON.stringify(MOVED) };
    expect(await ordeal.push(moved, [])).toMatchObject({ outcome: 'rolled_back' });
    expect(await ordeal.findings({ version })).toEqual([]);
    await ordeal.machine.push('Without it', {
      'behaviour.json': behaviour({ version: 'whole' }),
      'migrations/002_moved.json': null,
    });
    await ordeal.machine.atRest();
  });

  it('from data whose earlier release knows no DEPLOYMENT_MODE ends that at once, also after a restart', async () => {
    const { machine } = ordeal;
    await ordeal.push(ordeal.next({ noMode: true, background: 10 }).files, []);
    await machine.atRest();
    const earlier = machine.instances();
    const { version, files } = ordeal.next({ migration: true });
    machine.arm({ step: 'in settle' });
    const commit = await machine.push('A migration', files);
    await machine.killAt({ step: 'in settle' });
    await machine.boot({ step: 'did settle' });
    await waitFor('the earlier instance to end', async () =>
      machine.instances().some((pid) => earlier.includes(pid)) ? undefined : true,
    );
    await machine.reached();
    machine.go();
    expect(await machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
    // What its jobs stored while nobody kept them from it is lost: see ARCHITECTURE.md.
    await ordeal.close();
    await rm(join(machine.home, 'files', 'dev', 'ticks'));
    expect(await machine.visit()).toMatchObject({ version });
  });
});
