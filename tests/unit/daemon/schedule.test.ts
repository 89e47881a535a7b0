import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createBackground, GaveWay } from '../../../deployer/daemon/background.ts';
import { createSchedule, due, type Job, type Standing } from '../../../deployer/daemon/schedule.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = new Date('2026-11-20T12:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms).toISOString();
const both = { database: HOUR, full: DAY };

const standing = (more: Partial<Standing> = {}): Standing => ({
  schedule: both,
  hasDatabase: true,
  backups: [
    { kind: 'database', verifiedAt: ago(0.5 * HOUR) },
    { kind: 'full', verifiedAt: ago(0.5 * DAY) },
  ],
  drill: null,
  since: ago(DAY),
  ...more,
});

describe('what is due', () => {
  it.each<[string, Partial<Standing>, Job | null]>([
    ['nothing while all is young', {}, null],
    ['a full backup where there is none', { backups: [{ kind: 'database', verifiedAt: ago(0) }] }, 'full'],
    ['the database after its interval', { backups: [{ kind: 'full', verifiedAt: ago(HOUR) }] }, 'database'],
    ['nothing when a full one holds it', { backups: [{ kind: 'full', verifiedAt: ago(0.9 * HOUR) }] }, null],
    [
      'the database though a person made one by hand',
      {
        backups: [
          { kind: 'manual', verifiedAt: ago(0) },
          { kind: 'full', verifiedAt: ago(2 * HOUR) },
        ],
      },
      'database',
    ],
    ['nothing where no schedule asks for it', { schedule: {}, backups: [] }, null],
    [
      'no database where there is none',
      { schedule: { database: HOUR }, hasDatabase: false, backups: [] },
      null,
    ],
    ['files where there is no database', { hasDatabase: false, backups: [] }, 'full'],
    ['a first drill after a week', { since: ago(7 * DAY) }, 'drill'],
    ['no drill within the week', { since: ago(90 * DAY), drill: { at: ago(6 * DAY), success: true } }, null],
    ['a drill a week after the last', { drill: { at: ago(7 * DAY), success: true } }, 'drill'],
    ['a drill the day after one that failed', { drill: { at: ago(DAY), success: false } }, 'drill'],
    [
      'the database where only a clock that was wrong has made one, later than now',
      { backups: [{ kind: 'full', verifiedAt: ago(-DAY) }], schedule: { database: HOUR } },
      'database',
    ],
    [
      'nothing where one was made since the clock was set back',
      {
        backups: [
          { kind: 'full', verifiedAt: ago(-DAY) },
          { kind: 'full', verifiedAt: ago(0.5 * HOUR) },
        ],
      },
      null,
    ],
    ['a drill where the last is of the future', { drill: { at: ago(-DAY), success: true } }, 'drill'],
    ['no drill without a backup', { schedule: {}, backups: [], since: ago(90 * DAY) }, null],
  ])('is %s', (_title, more, expected) => {
    expect(due(standing(more), NOW)).toBe(expected);
  });
});

function world(perform: (job: Job, signal: AbortSignal) => Promise<object>) {
  const state = { now: NOW, busy: false, standing: standing({ backups: [] }), made: [] as Job[] };
  const background = createBackground();
  const schedule = createSchedule({
    environments: async () => ['dev'],
    standingOf: async () => state.standing,
    perform: async (_environment, job, signal) => {
      const done = await perform(job, signal);
      state.made.push(job);
      const backup = {
        kind: job === 'drill' ? ('manual' as const) : job,
        verifiedAt: state.now.toISOString(),
      };
      state.standing = { ...state.standing, backups: [backup, ...state.standing.backups] };
      return done;
    },
    busy: () => state.busy,
    background,
    clock: () => state.now,
    timer: () => () => {},
    logger: pino({ level: 'silent' }),
  });
  const pass = (ms: number) => {
    state.now = new Date(state.now.getTime() + ms);
    return schedule.look();
  };
  return { state, background, schedule, pass };
}

describe('the schedule', () => {
  it('does what is due, once', async () => {
    const { state, pass } = world(async () => ({}));
    await pass(0);
    await pass(0.5 * HOUR);
    expect(state.made).toEqual(['full']);
    await pass(0.5 * HOUR);
    expect(state.made).toEqual(['full', 'database']);
  });

  it('waits while a deployment runs', async () => {
    const { state, pass } = world(async () => ({}));
    state.busy = true;
    await pass(0);
    expect(state.made).toEqual([]);
    state.busy = false;
    await pass(0);
    expect(state.made).toEqual(['full']);
  });

  it('gives way to a deployment that begins, and makes it good afterwards', async () => {
    let yields = true;
    const { state, pass, background, schedule } = world(async (_job, signal) => {
      if (yields) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return {};
    });
    const looking = pass(0);
    await new Promise((resolve) => setImmediate(resolve));
    const began = await background.run('dev', async () => ({}));
    expect(began).toBeNull();
    await background.giveWay('dev');
    await looking;
    expect(schedule.problems()).toEqual([]);
    yields = false;
    await pass(0);
    expect(state.made).toContain('full');
  });

  it('tells what failed, and tries again after pauses that grow', async () => {
    let tries = 0;
    let works = false;
    const { state, pass, schedule } = world(async () => {
      tries++;
      if (!works) throw new Error('the disk is full');
      return {};
    });
    await pass(0);
    await pass(59_000);
    expect(tries).toBe(1);
    expect(schedule.problems()).toEqual(['dev: the full backup failed: the disk is full']);
    await pass(1000);
    expect(tries).toBe(2);
    await pass(60_000);
    expect(tries).toBe(2);
    works = true;
    await pass(60_000);
    expect(schedule.problems()).toEqual([]);
    expect(state.made).toEqual(['full']);
  });

  it('tells when the backups cannot be looked at, until they can', async () => {
    const { state, pass, schedule } = world(async () => ({}));
    const good = state.standing;
    Object.defineProperty(state, 'standing', {
      configurable: true,
      get: () => {
        throw new Error('EACCES');
      },
    });
    await pass(0);
    expect(schedule.problems()).toEqual(['dev: its backups cannot be looked at: EACCES']);
    Object.defineProperty(state, 'standing', { value: good, writable: true });
    await pass(0);
    expect(schedule.problems()).toEqual([]);
  });

  it('ends what runs when it is stopped, and begins nothing more', async () => {
    const { state, pass, schedule } = world(
      (_job, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    );
    const looking = pass(0);
    await new Promise((resolve) => setImmediate(resolve));
    await schedule.stop();
    await looking;
    await pass(HOUR);
    expect(state.made).toEqual([]);
    expect(schedule.problems()).toEqual([]);
  });
});

describe('background work', () => {
  it('that a deployment ends throws the reason, whatever it came to', async () => {
    const background = createBackground();
    const work = background.run('dev', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('a broken pipe');
    });
    const [ended] = await Promise.all([work.catch((error: unknown) => error), background.giveWay('dev')]);
    expect(ended).toBeInstanceOf(GaveWay);
    await background.giveWay('dev');
  });
});
