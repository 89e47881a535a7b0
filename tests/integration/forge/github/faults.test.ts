import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutbox, enqueue } from '../../../../deployer/forge/outbox.ts';
import type { Report } from '../../../../deployer/forge/types.ts';
import type { Fault } from '../../../kit/github/faults.ts';
import { scratchState, seeded, silent } from '../../../unit/scratch.ts';
import { githubPlace } from './place.ts';

const FAULTS: Fault[] = [
  'secondary-limit',
  'primary-limit',
  'too-many-requests',
  'server-error',
  'bad-gateway',
  'unavailable',
  'not-json',
  'reset',
  'cut',
  'lost',
];

const statusOf = (commit: string, state: 'pending' | 'success' | 'failure', context = 'deploy/dev') =>
  ({
    type: 'status',
    commit,
    context,
    state,
    description: `${state} it is`,
    targetUrl: 'https://deploy.example.org/deployments/d1',
    at: 'now',
  }) as const satisfies Report;

/** The real time, and what a test adds to it. */
function movableClock() {
  let ahead = 0;
  return {
    read: () => new Date(Date.now() + ahead),
    advance: (milliseconds: number) => (ahead += milliseconds),
  };
}

describe('one request', () => {
  it.each(FAULTS)('that ends by %s is made again, and has one effect', async (fault) => {
    const { github, first, again } = await githubPlace();
    const clock = movableClock();
    const forge = again({ clock: clock.read });
    github.faults.plan({ fault, method: 'POST' });
    await expect(forge.send(statusOf(first, 'success'))).rejects.toMatchObject({ retryable: true });
    clock.advance(120_000);
    await forge.send(statusOf(first, 'success'));
    expect(github.statuses(first)).toHaveLength(1);
    expect(forge.trouble()).toBeNull();
    expect(github.violations).toEqual([]);
  });

  it('that hangs is given up at its deadline', async () => {
    const { github, first, again } = await githubPlace();
    const forge = again({ deadlineMs: 100 });
    github.faults.plan({ fault: 'hang', method: 'POST' });
    const sent = forge.send(statusOf(first, 'success'));
    await expect(sent).rejects.toMatchObject({
      retryable: true,
      message: expect.stringMatching(/cannot be reached: .*time/i),
    });
    expect(forge.trouble()).not.toBeNull();
  });

  it('ends with the forge', async () => {
    const { github, first, forge } = await githubPlace();
    github.faults.plan({ fault: 'hang', method: 'POST' });
    const sent = forge.send(statusOf(first, 'success'));
    await expect.poll(() => github.requests.some(({ method }) => method === 'POST')).toBe(true);
    forge.close?.();
    await expect(sent).rejects.toMatchObject({ retryable: true });
  });
});

describe('a limit', () => {
  it('keeps everything from GitHub until it is over, other requests included', async () => {
    const { github, first, again } = await githubPlace();
    const clock = movableClock();
    const forge = again({ clock: clock.read });
    github.faults.plan({ fault: 'secondary-limit', method: 'POST', retryAfter: 40 });
    await expect(forge.send(statusOf(first, 'success'))).rejects.toMatchObject({
      retryAfterMs: 40_000,
      pausesAll: true,
    });
    const asked = github.requests.length;
    await expect(forge.pulls()).rejects.toMatchObject({ pausesAll: true });
    clock.advance(30_000);
    await expect(forge.send(statusOf(first, 'success'))).rejects.toMatchObject({ pausesAll: true });
    expect(github.requests).toHaveLength(asked);
    expect(forge.trouble()).not.toBeNull();
    clock.advance(10_001);
    await forge.send(statusOf(first, 'success'));
    expect(forge.trouble()).toBeNull();
  });
});

it('what a revoked token kept back is told soon after it is mended, without a restart', async () => {
  const { github, first, token, again } = await githubPlace();
  const clock = movableClock();
  const store = await scratchState();
  const forge = again({ clock: clock.read });
  const outbox = createOutbox({ state: store, forge, clock: clock.read, logger: silent });
  onTestFinished(() => outbox.stop());
  const deliver = async () => {
    outbox.kick();
    await outbox.settled();
  };
  await enqueue(store, statusOf(first, 'success'), clock.read().toISOString());
  github.world.credentials.revoke(token);
  // The pauses do not grow: a person mends this.
  for (let minutes = 0; minutes < 30; minutes += 1) {
    await deliver();
    clock.advance(60_000);
  }
  expect(github.statuses(first)).toEqual([]);
  await deliver();
  github.world.credentials.restore(token);
  clock.advance(30_000);
  await deliver();
  expect(github.statuses(first)).toHaveLength(1);
});

it('through a GitHub that fails half of the time everything is told once, and the last status is right', async () => {
  const place = await githubPlace();
  const { github, work, again } = place;
  const clock = movableClock();
  const store = await scratchState();
  const forge = again({ clock: clock.read });
  const outbox = createOutbox({ state: store, forge, clock: clock.read, logger: silent });
  onTestFinished(() => outbox.stop());
  const commits: string[] = [];
  for (let index = 0; index < 5; index += 1)
    commits.push(await work.commit(`c${index}`, { a: `${index}\n` }));
  await work.push('HEAD:main', 'HEAD:topic');
  await work.commit('open', { a: 'open\n' });
  await work.push('HEAD:topic');
  const pull = await github.open({ title: 'Topic', head: 'topic', base: 'main' });
  const random = seeded(7);
  github.faults.dice = (_method, path) =>
    path.includes('.git/') || random() < 0.5 ? null : (FAULTS[Math.floor(random() * FAULTS.length)] ?? null);
  const deployment = (commit: string, state: 'in_progress' | 'success'): Report => ({
    type: 'deployment',
    deployment: `d-${commit.slice(0, 6)}`,
    commit,
    environment: 'dev',
    state,
    description: state,
    production: false,
    environmentUrl: null,
    logUrl: 'https://deploy.example.org/deployments/d1',
    at: 'now',
  });
  const reports = commits.flatMap((commit, index): Report[] => [
    statusOf(commit, 'pending'),
    deployment(commit, 'in_progress'),
    statusOf(commit, 'success', 'verify/dev/routes'),
    { type: 'tag', commit, name: `v${index}`, message: 'm' },
    { type: 'comment', on: { pull: pull.number }, key: 'deploy/dev', body: `comment ${index}`, at: 'now' },
    statusOf(commit, index % 2 ? 'failure' : 'success'),
    deployment(commit, 'success'),
  ]);
  for (const report of reports) await enqueue(store, report, clock.read().toISOString());
  const waiting = async () =>
    (await store('outbox').whereNull('delivered_at').where({ abandoned: false })).length;
  for (let rounds = 0; rounds < 300 && (await waiting()) > 0; rounds += 1) {
    outbox.kick();
    await outbox.settled();
    clock.advance(900_000);
  }
  expect(await store('outbox').whereNull('delivered_at')).toEqual([]);
  for (const [index, commit] of commits.entries()) {
    expect(github.statuses(commit, 'deploy/dev').at(-1)?.state).toBe(index % 2 ? 'failure' : 'success');
    expect(github.statuses(commit, 'verify/dev/routes')).toHaveLength(1);
  }
  expect(github.world.deployments).toHaveLength(commits.length);
  const last = new Map(github.world.deployments.map(({ sha, statuses }) => [sha, statuses.at(-1)?.state]));
  const newest = commits.at(-1);
  expect([...last]).toEqual(commits.map((commit) => [commit, commit === newest ? 'success' : 'inactive']));
  expect(github.world.comments.map(({ body }) => body.split('\n')[0])).toEqual(['comment 4']);
  expect((await work.git('ls-remote', '--tags', work.origin)).match(/refs\/tags\/v\d$/gm)).toHaveLength(5);
  expect(github.violations).toEqual([]);
});
