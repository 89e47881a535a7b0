import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutbox, enqueue } from '../../../deployer/forge/outbox.ts';
import { ForgeError, type Report as AnyReport } from '../../../deployer/forge/types.ts';
import { Clock, fullDisk, scratchState, seeded, silent } from '../scratch.ts';

type Report = Extract<AnyReport, { type: 'status' | 'tag' }>;

const status = (
  commit: string,
  state: 'pending' | 'success' | 'failure',
  context = 'deploy/dev',
): Report => ({
  type: 'status',
  commit,
  context,
  state,
  description: state,
  targetUrl: 'http://deployer.example/',
  at: 'now',
});
const nameOf = (report: Report) =>
  report.type === 'status' ? `${report.commit} ${report.state}` : `${report.type} ${report.commit}`;

/** An outbox to a forge that does with each report what `answer` says. */
async function outboxTo(answer: (report: Report) => void | Promise<void> = () => {}) {
  const state = await scratchState();
  const clock = new Clock();
  const sent: string[] = [];
  const send = async (report: AnyReport) => {
    if (report.type !== 'status' && report.type !== 'tag') throw new TypeError(report.type);
    await answer(report);
    sent.push(nameOf(report));
  };
  const open = () => createOutbox({ state, forge: { send }, clock: clock.read, logger: silent });
  const outbox = open();
  onTestFinished(() => outbox.stop());
  const deliver = async (which = outbox) => {
    which.kick();
    await which.settled();
  };
  const put = async (...reports: Report[]) => {
    for (const report of reports) await enqueue(state, report, clock.read().toISOString());
  };
  return { state, clock, sent, outbox, open, put, deliver };
}

const down = () => {
  throw new ForgeError('502', { retryable: true });
};

describe('reports', () => {
  it('are sent once, in order', async () => {
    const { put, deliver, sent } = await outboxTo();
    await put(status('a', 'pending'), status('b', 'pending'), status('a', 'success'));
    await deliver();
    await deliver();
    expect(sent).toEqual(['a pending', 'b pending', 'a success']);
  });

  it('of a transaction that failed are not sent', async () => {
    const { state, deliver, sent } = await outboxTo();
    const failing = state.transaction(async (trx) => {
      await enqueue(trx, status('a', 'success'), 'now');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    await deliver();
    expect(sent).toEqual([]);
  });

  it('are read once each, however many wait', async () => {
    const { put, deliver, sent, state } = await outboxTo();
    await put(...Array.from({ length: 100 }, (_, index) => status(`${index % 40}`, 'success')));
    let read = 0;
    state.on(
      'query-response',
      (response: unknown) => (read += Array.isArray(response) ? response.length : 0),
    );
    await deliver();
    expect(sent).toHaveLength(100);
    expect(read).toBe(100);
  });

  it('of one commit and context wait for each other, others do not', async () => {
    let broken = true;
    const { put, deliver, sent, clock } = await outboxTo((report) => {
      if (broken && report.commit === 'a') down();
    });
    await put(status('a', 'failure'), status('a', 'success'), status('b', 'success'));
    await put({ type: 'tag', commit: 'c', name: 'v1', message: '' });
    await deliver();
    expect(sent).toEqual(['b success', 'tag c']);
    broken = false;
    clock.advance(1000);
    await deliver();
    expect(sent).toEqual(['b success', 'tag c', 'a failure', 'a success']);
  });

  it('of one commit in another context, or of another type, are another lane', async () => {
    const { put, deliver, sent } = await outboxTo((report) => {
      if (report.type === 'status' && report.context === 'deploy/dev') down();
    });
    await put(status('a', 'failure'), status('a', 'success', 'verify/dev/routes'));
    await put({ type: 'tag', commit: 'a', name: 'v1', message: '' });
    await deliver();
    expect(sent).toEqual(['a success', 'tag a']);
  });
});

describe('while the forge is down', () => {
  it('tries again after pauses that double up to a quarter of an hour', async () => {
    let tries = 0;
    const { put, deliver, clock, outbox } = await outboxTo(() => {
      tries += 1;
      down();
    });
    await put(status('a', 'success'));
    await deliver();
    const pauses: number[] = [];
    for (const before = { tries: 0 }; pauses.length < 13;) {
      before.tries = tries;
      let pause = 0;
      for (; tries === before.tries; pause += 500) {
        clock.advance(500);
        await deliver();
      }
      pauses.push(pause);
      if (pause > 900_000) break;
    }
    expect(pauses).toEqual(
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900].map((seconds) => seconds * 1000),
    );
    expect(await outbox.backlog()).toEqual({ count: 1, error: '502' });
  });

  it('waits as long as it is asked to', async () => {
    let tries = 0;
    const { put, deliver, clock, sent } = await outboxTo(() => {
      tries += 1;
      if (tries === 1) throw new ForgeError('slow down', { retryable: true, retryAfterMs: 60_000 });
    });
    await put(status('a', 'success'));
    await deliver();
    clock.advance(59_999);
    await deliver();
    expect(tries).toBe(1);
    clock.advance(1);
    await deliver();
    expect(sent).toEqual(['a success']);
  });

  it('does not wait for the time that a clock told which was set back since', async () => {
    let broken = true;
    const { put, deliver, clock, sent } = await outboxTo(() => {
      if (broken) throw new ForgeError('slow down', { retryable: true, retryAfterMs: 1000, pausesAll: true });
    });
    await put(status('a', 'success'));
    await deliver();
    broken = false;
    await put(status('b', 'success'));
    clock.advance(-86_400_000);
    await deliver();
    expect(sent).toEqual(['a success', 'b success']);
  });

  it('takes an error that it does not know for one that passes', async () => {
    let broken = true;
    const { put, deliver, clock, sent } = await outboxTo(() => {
      if (broken) throw new TypeError('fetch failed');
    });
    await put(status('a', 'success'));
    await deliver();
    broken = false;
    clock.advance(1000);
    await deliver();
    expect(sent).toEqual(['a success']);
  });

  it('wakes up by itself, and does not spin while the first of a lane has to wait', async () => {
    const { put, deliver, state, outbox } = await outboxTo(() => {
      throw new ForgeError('slow down', { retryable: true, retryAfterMs: 60_000 });
    });
    await put(status('a', 'pending'), status('a', 'success'));
    await deliver();
    let queries = 0;
    state.on('query', () => (queries += 1));
    const later = Promise.withResolvers<void>();
    setTimeout(() => later.resolve(), 200);
    await later.promise;
    expect(queries).toBe(0);
    await outbox.stop();
  });

  it('is told again without being asked once the pause is over', async () => {
    let tries = 0;
    const done = Promise.withResolvers<void>();
    const { put, deliver, clock } = await outboxTo(() => {
      tries += 1;
      if (tries === 1) throw new ForgeError('busy', { retryable: true, retryAfterMs: 20 });
      done.resolve();
    });
    await put(status('a', 'success'));
    await deliver();
    clock.advance(20);
    await done.promise;
    expect(tries).toBe(2);
  });
});

it('the forge’s own record of a deployment gives way to what is told meanwhile', async () => {
  const record = { type: 'deployment', deployment: 'd1', commit: 'a', environment: 'dev' } as const;
  const about = { production: false, environmentUrl: null, logUrl: '', description: '', at: 'now' };
  const told: string[] = [];
  const { state, outbox, clock } = await outboxTo();
  const another = createOutbox({
    state,
    forge: {
      async send(report) {
        told.push('state' in report ? `${report.type} ${report.state}` : report.type);
        // It ends while its beginning is told.
        if (told.length === 1) await enqueue(state, status('a', 'failure'), clock.read().toISOString());
      },
    },
    clock: clock.read,
    logger: silent,
  });
  onTestFinished(() => another.stop());
  await outbox.stop();
  for (const deploymentState of ['queued', 'in_progress'] as const)
    await enqueue(state, { ...record, ...about, state: deploymentState }, clock.read().toISOString());
  another.kick();
  await another.settled();
  expect(told).toEqual(['deployment queued', 'status failure', 'deployment in_progress']);
});

describe('reports that are late', () => {
  it('and only lead to a later one are passed over, in their own lane alone', async () => {
    let broken = true;
    const { put, deliver, sent, clock, state } = await outboxTo(() => {
      if (broken) down();
    });
    await put(status('a', 'pending'), status('b', 'pending'), status('a', 'failure'), status('a', 'pending'));
    await deliver();
    broken = false;
    clock.advance(60_000);
    await deliver();
    // The newest is always told, whatever it says.
    expect(sent).toEqual(['b pending', 'a failure', 'a pending']);
    expect(await state('outbox').whereNull('delivered_at')).toEqual([]);
  });

  it('by no fault of their own, such as a deployer that was down, are passed over too', async () => {
    const { put, deliver, sent, clock } = await outboxTo();
    await put(status('a', 'pending'));
    clock.advance(60_000);
    await put(status('a', 'success'));
    await deliver();
    expect(sent).toEqual(['a success']);
  });
});

describe('a forge that asks for a pause', () => {
  it('is asked nothing at all before it is over', async () => {
    let limited = true;
    let asked = 0;
    const { put, deliver, sent, clock } = await outboxTo(() => {
      asked += 1;
      if (limited) throw new ForgeError('limit', { retryable: true, retryAfterMs: 60_000, pausesAll: true });
    });
    await put(status('a', 'success'), status('b', 'success'));
    await deliver();
    expect(asked).toBe(1);
    await put(status('c', 'success'));
    clock.advance(59_999);
    await deliver();
    expect(asked).toBe(1);
    limited = false;
    clock.advance(1);
    await deliver();
    expect(sent).toEqual(['a success', 'b success', 'c success']);
  });

  it('is asked nothing before then by a daemon that is started meanwhile either', async () => {
    let asked = 0;
    const { put, deliver, open, clock } = await outboxTo(() => {
      asked += 1;
      throw new ForgeError('limit', { retryable: true, retryAfterMs: 60_000, pausesAll: true });
    });
    await put(status('a', 'success'), status('b', 'success'), status('c', 'success'));
    await deliver();
    for (let starts = 0; starts < 3; starts += 1) {
      const another = open();
      onTestFinished(() => another.stop());
      await deliver(another);
    }
    expect(asked).toBe(1);
    clock.advance(60_000);
    await deliver();
    expect(asked).toBe(2);
  });
});

it('forgets what was done with long ago, and nothing that still waits', async () => {
  const { put, deliver, outbox, state, clock } = await outboxTo((report) => {
    if (report.type === 'tag') throw new ForgeError('taken', { retryable: false });
    if (report.commit === 'b') down();
  });
  await put(status('a', 'success'), status('b', 'success'), {
    type: 'tag',
    commit: 'c',
    name: 'v1',
    message: '',
  });
  await deliver();
  clock.advance(1000);
  await put(status('d', 'success'));
  await deliver();
  await outbox.forget(clock.read());
  const lanes = (await state('outbox').orderBy('id').select('lane')).map(({ lane }) => lane);
  expect(lanes).toEqual(['status b deploy/dev', 'status d deploy/dev']);
});

describe('a report that the forge will never take', () => {
  it('is given up, says so, and does not hold up those behind it', async () => {
    const { put, deliver, sent, state, clock } = await outboxTo((report) => {
      if (nameOf(report) === 'a pending') throw new ForgeError('422 no such commit', { retryable: false });
    });
    await put(status('a', 'pending'), status('a', 'success'));
    await deliver();
    clock.advance(3_600_000);
    await deliver();
    expect(sent).toEqual(['a success']);
    const rows = await state('outbox').orderBy('id').select('abandoned', 'error', 'attempts');
    expect(rows.map((row) => ({ ...row, abandoned: Boolean(row.abandoned) }))).toEqual([
      { abandoned: true, error: '422 no such commit', attempts: 1 },
      { abandoned: false, error: null, attempts: 0 },
    ]);
  });

  it('is a problem that says what, why and what to do, until it is a week old', async () => {
    const { put, deliver, outbox, clock } = await outboxTo(() => {
      throw new ForgeError('v1 is at another commit', { retryable: false });
    });
    await put({ type: 'tag', commit: 'c0ffee'.repeat(6), name: 'v1', message: '' });
    await deliver();
    expect(await outbox.givenUp()).toEqual([
      'the tag v1 of c0ffeec0 was given up: v1 is at another commit. Mend: set a tag by hand, if one is needed; it is named here for 7 days',
    ]);
    clock.advance(8 * 86_400_000);
    expect(await outbox.givenUp()).toEqual([]);
  });

  it('is none any more once a later one of its lane was taken', async () => {
    const { put, deliver, outbox } = await outboxTo((report) => {
      if (nameOf(report) === 'a pending') throw new ForgeError('422 no such commit', { retryable: false });
    });
    await put(status('a', 'pending'));
    await deliver();
    expect(await outbox.givenUp()).toHaveLength(1);
    await put(status('a', 'success'));
    await deliver();
    expect(await outbox.givenUp()).toEqual([]);
  });
});

describe('a death between sending and noting it', () => {
  it('sends the same again, loses nothing and keeps the order', async () => {
    const { put, sent, state, open, outbox, deliver } = await outboxTo();
    await put(status('a', 'pending'), status('a', 'success'));
    const mend = await fullDisk(state, 'outbox');
    await deliver();
    await outbox.stop();
    expect(sent).toEqual(['a pending']);
    await mend();
    const next = open();
    await deliver(next);
    await next.stop();
    expect(sent).toEqual(['a pending', 'a pending', 'a success']);
  });

  it('goes on by itself when the state can be written again', async () => {
    const { put, sent, state, deliver } = await outboxTo();
    await put(status('a', 'pending'), status('a', 'success'));
    const mend = await fullDisk(state, 'outbox');
    await deliver();
    await mend();
    await expect.poll(() => sent).toEqual(['a pending', 'a pending', 'a success']);
  });
});

it('brings 300 reports through a forge that fails half of the time: the last status of each is right', async () => {
  const random = seeded(3);
  const last = new Map<string, string>();
  const { put, deliver, clock, state } = await outboxTo((report) => {
    const chance = random();
    if (chance < 0.25) down();
    last.set(report.commit, nameOf(report));
    if (chance < 0.5) throw new Error('the answer was cut off');
  });
  const commits = Array.from({ length: 100 }, (_, index) => `c${index}`);
  for (const what of ['pending', 'failure', 'success'] as const)
    await put(...commits.map((commit) => status(commit, what)));
  const waiting = async () => (await state('outbox').whereNull('delivered_at')).length;
  while ((await waiting()) > 0) {
    clock.advance(900_000);
    await deliver();
  }
  expect([...last.values()].toSorted()).toEqual(commits.map((commit) => `${commit} success`).toSorted());
});

it('sends nothing any more once it was stopped', async () => {
  const { put, deliver, sent, outbox } = await outboxTo();
  await outbox.stop();
  await put(status('a', 'pending'));
  await deliver();
  expect(sent).toEqual([]);
});
