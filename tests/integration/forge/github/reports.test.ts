import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../deployer/forge/types.ts';
import { githubPlace } from './place.ts';

type Status = Report & { type: 'status' };
type Deployment = Report & { type: 'deployment' };

const statusOf = (commit: string, more: Partial<Status> = {}): Status => ({
  type: 'status',
  commit,
  context: 'deploy/dev',
  state: 'success',
  description: 'deployed: 12 checks in 3 suites passed',
  targetUrl: 'https://deploy.example.org/deployments/d1',
  at: '2026-11-21T10:00:00.000Z',
  ...more,
});

const deploymentOf = (commit: string, more: Partial<Deployment> = {}): Deployment => ({
  type: 'deployment',
  deployment: '20261121-100000-abcdef',
  commit,
  environment: 'dev',
  state: 'in_progress',
  description: 'being verified',
  production: false,
  environmentUrl: 'https://dev.example.org',
  logUrl: 'https://deploy.example.org/deployments/20261121-100000-abcdef',
  at: '2026-11-21T10:00:00.000Z',
  ...more,
});

describe('a status', () => {
  it('is on the commit, with its page', async () => {
    const { github, forge, first } = await githubPlace();
    await forge.send(statusOf(first));
    expect(github.statuses(first, 'deploy/dev')).toMatchObject([
      {
        state: 'success',
        description: 'deployed: 12 checks in 3 suites passed',
        target_url: 'https://deploy.example.org/deployments/d1',
      },
    ]);
    expect(github.violations).toEqual([]);
  });

  it('that was sent already is not sent again, also after a newer process', async () => {
    const { github, forge, first, again } = await githubPlace();
    await forge.send(statusOf(first, { state: 'pending' }));
    await forge.send(statusOf(first));
    await again().send(statusOf(first));
    expect(github.statuses(first).map(({ state }) => state)).toEqual(['pending', 'success']);
  });

  it('of which GitHub would take no more is given up and says so; the last hundred are for outcomes', async () => {
    const { github, forge, first } = await githubPlace();
    await forge.send(statusOf(first, { state: 'pending' }));
    const [one] = github.statuses(first);
    if (!one) throw new Error('no status');
    const fill = (count: number) => {
      while (github.statuses(first).length < count) github.world.statuses.push({ ...one, state: 'failure' });
    };
    fill(899);
    await forge.send(statusOf(first, { state: 'pending' }));
    fill(901);
    await expect(forge.send(statusOf(first, { state: 'pending' }))).rejects.toMatchObject({
      message: expect.stringMatching(
        /^GitHub takes 1000 statuses .* and has 901: push a new commit$/,
      ) as string,
      retryable: false,
    });
    await forge.send(statusOf(first));
    await forge.send(statusOf(first, { state: 'pending', context: 'deploy/prod' }));
    fill(1001);
    await expect(forge.send(statusOf(first, { description: 'another' }))).rejects.toMatchObject({
      retryable: false,
    });
    expect(github.violations).toEqual([]);
  });

  it('is sent again where it only was so before', async () => {
    const { github, forge, first } = await githubPlace();
    for (const state of ['pending', 'success', 'pending', 'success'] as const)
      await forge.send(statusOf(first, { state }));
    expect(github.statuses(first).map(({ state }) => state)).toEqual([
      'pending',
      'success',
      'pending',
      'success',
    ]);
  });

  it('of a commit that GitHub does not have is given up', async () => {
    const { forge } = await githubPlace();
    await expect(forge.send(statusOf('a'.repeat(40)))).rejects.toMatchObject({ retryable: false });
  });
});

describe('a GitHub Deployment', () => {
  it('is made with the first state and found again by our id', async () => {
    const { github, forge, first, again } = await githubPlace();
    await forge.send(deploymentOf(first));
    await forge.send(deploymentOf(first, { deployment: '20261121-100500-fedcba', state: 'queued' }));
    await again().send(deploymentOf(first, { state: 'success', description: 'live' }));
    await forge.send(deploymentOf(first, { state: 'success', description: 'live' }));
    const [one, other, ...more] = github.world.deployments;
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      sha: first,
      environment: 'dev',
      payload: { deployment: '20261121-100000-abcdef' },
    });
    expect(other).toMatchObject({ payload: { deployment: '20261121-100500-fedcba' } });
    const states = one?.statuses.map(({ state, environment_url: url }) => [state, url]);
    expect(states).toEqual([
      ['in_progress', 'https://dev.example.org'],
      ['success', 'https://dev.example.org'],
    ]);
    expect(github.violations).toEqual([]);
  });
});

describe('a GitHub Deployment to production', () => {
  it('is said to be one, and no later one ends it but us', async () => {
    const { github, forge, first } = await githubPlace();
    const prod = { environment: 'prod', production: true, state: 'success' } as const;
    await forge.send(deploymentOf(first, prod));
    await forge.send(deploymentOf(first, { ...prod, deployment: '20261121-100500-fedcba' }));
    const [one, other] = github.world.deployments;
    expect([one?.production_environment, other?.production_environment]).toEqual([true, true]);
    expect(one?.statuses.at(-1)?.state).toBe('success');
    await forge.send(deploymentOf(first, { ...prod, state: 'inactive' }));
    expect(one?.statuses.at(-1)?.state).toBe('inactive');
    expect(other?.statuses.at(-1)?.state).toBe('success');
    expect(github.violations).toEqual([]);
  });
});

describe('a tag', () => {
  const tag = (commit: string, name = 'v2026.11.21'): Report => ({
    type: 'tag',
    commit,
    name,
    message: 'Deployment d1 to prod\n\nroutes: 12 checks passed',
  });

  it('is annotated, and once', async () => {
    const { forge, first, work, again } = await githubPlace();
    await forge.send(tag(first));
    await again().send(tag(first));
    await work.git('fetch', '-q', '--tags', work.origin);
    expect(await work.git('cat-file', '-t', 'v2026.11.21')).toBe('tag');
    expect(await work.git('for-each-ref', '--format=%(contents)', 'refs/tags/v2026.11.21')).toContain(
      'Deployment d1 to prod\n\nroutes: 12 checks passed',
    );
    expect(await work.git('rev-parse', 'v2026.11.21^{commit}')).toBe(first);
    expect(await forge.tags()).toEqual(['v2026.11.21']);
  });

  it('whose name is taken by another commit is given up', async () => {
    const { forge, first, work } = await githubPlace();
    await forge.send(tag(first));
    const other = await work.commit('Other', { a: '2\n' });
    await work.push('HEAD:main');
    await expect(forge.send(tag(other))).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining('v2026.11.21 is there already'),
    });
  });
});

describe('comments', () => {
  it('of one key are one comment, updated in place', async () => {
    const { github, forge, work, again } = await githubPlace();
    await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:topic');
    const pull = await github.open({ title: 'Change', head: 'topic', base: 'main' });
    const comment = (key: string, body: string): Report => ({
      type: 'comment',
      on: { pull: pull.number },
      key,
      body,
      at: 'now',
    });
    await forge.send(comment('rehearse/dev', 'running'));
    await forge.send(comment('rehearse/prod', 'running'));
    await again().send(comment('rehearse/dev', 'passed'));
    await forge.send(comment('rehearse/dev', 'passed'));
    const bodies = github.world.comments.map(({ body }) => body.split('\n')[0]);
    expect(bodies).toEqual(['passed', 'running']);
    const edits = github.requests.filter(({ method }) => method === 'PATCH');
    expect(edits).toHaveLength(1);
    expect(github.violations).toEqual([]);
  });

  it('on a commit are on the merged pull requests that brought it, and on no other', async () => {
    const { github, forge, work, first } = await githubPlace();
    await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:topic');
    const pull = await github.open({ title: 'Change', head: 'topic', base: 'main' });
    const merged = await github.merge(pull);
    for (const commit of [merged, first])
      await forge.send({ type: 'comment', on: { commit }, key: 'deploy/dev', body: 'rejected', at: 'now' });
    expect(github.world.comments.map((comment) => comment.issue)).toEqual([pull.number]);
  });
});

describe('pull requests', () => {
  it('are the open ones from branches of the repository', async () => {
    const { github, forge, work } = await githubPlace();
    const commit = await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:topic', 'HEAD:other');
    const pull = await github.open({ title: 'Change', head: 'topic', base: 'main' });
    await github.close(await github.open({ title: 'Closed', head: 'other', base: 'main' }));
    await github.openFromFork({ title: 'Fork', commit, base: 'main', owner: 'stranger' });
    expect(await forge.pulls()).toEqual([
      { number: pull.number, title: 'Change', head: 'topic', commit, base: 'main', url: expect.any(String) },
    ]);
    await forge.pulls();
    expect(github.requests.at(-1)).toMatchObject({ path: expect.stringContaining('/pulls'), status: 304 });
  });
});

describe('a merge', () => {
  it('is a commit on the branch, and again there is nothing to merge', async () => {
    const { forge, work, github } = await githubPlace();
    const change = await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:dev');
    const merged = await forge.merge({ base: 'main', head: change, message: "Merge branch 'dev' into main" });
    expect(await github.world.bare.branch('main')).toBe(merged);
    expect(await forge.merge({ base: 'main', head: change, message: 'x' })).toBe(merged);
    expect(github.violations).toEqual([]);
  });

  it('whose answer was lost has happened', async () => {
    const { forge, work, github } = await githubPlace();
    const change = await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:dev');
    github.faults.plan({ fault: 'cut', method: 'POST', path: /merges/ });
    const merged = await forge.merge({ base: 'main', head: change, message: 'm' });
    expect(await github.world.bare.branch('main')).toBe(merged);
  });

  it('that conflicts fails and says what to do', async () => {
    const { forge, work, first } = await githubPlace();
    const ours = await work.commit('Ours', { a: '2\n' });
    await work.push('HEAD:main');
    await work.git('reset', '-q', '--hard', first);
    const theirs = await work.commit('Theirs', { a: '3\n' });
    await work.push('HEAD:dev');
    const merging = forge.merge({ base: 'main', head: theirs, message: 'm' });
    await expect(merging).rejects.toThrow(`${theirs} cannot be merged into main: it conflicts`);
    await work.git('fetch', '-q', work.origin, 'main');
    expect(await work.git('rev-parse', 'FETCH_HEAD')).toBe(ours);
  });
});
