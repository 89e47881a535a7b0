import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage, waitFor } from '../kit/daemon.ts';
import { GitHub } from '../kit/github/github.ts';
import { behaviour } from '../kit/repository.ts';

describe('pull requests on GitHub', () => {
  let directory: string;
  let github: GitHub;
  let stage: Stage;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'github-'));
    github = await GitHub.start(directory);
    stage = await Stage.onGitHub(github, github.settings(github.grant()));
    await stage.start();
    await stage.allLive();
  });
  afterAll(async () => {
    await stage.strike();
    await github.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const BROKEN = { 'behaviour.json': behaviour({ version: 'broken', home: 500 }) };
  const told = (sha: string, context: string, state: string) =>
    waitFor(`${context} ${state} of ${sha.slice(0, 8)}`, async () => {
      const last = github.statuses(sha, context).at(-1);
      return last?.state === state ? last : undefined;
    });
  const commentsOf = ({ number }: { number: number }) =>
    github.world.comments.filter(({ issue }) => issue === number);

  it('are rehearsed when opened and pushed to, and told in one comment that is updated in place', async () => {
    const broken = await stage.push('topic', 'Broken', BROKEN);
    const pull = await github.open({ title: 'A change', head: 'topic', base: 'dev' });
    const failure = await told(broken, 'rehearse/dev', 'failure');
    expect(failure.description).toBe('failed: routes: GET / gave 500, expected 200 (server.mjs:1)');
    expect(failure.target_url).toMatch(new RegExp(`^${stage.daemon.url}/deployments/`));
    const first = await waitFor('a comment', async () => commentsOf(pull)[0]);
    expect(first.body).toContain('routes: GET /\n  expected  200\n  actual    gave 500');
    const mended = await stage.push('topic', 'Mended', {
      'behaviour.json': behaviour({ version: 'mended' }),
    });
    await told(mended, 'rehearse/dev', 'success');
    await waitFor(
      'the comment to be updated',
      async () => commentsOf(pull)[0]?.body.includes('The rehearsal for dev passes') || undefined,
    );
    expect(commentsOf(pull)).toHaveLength(1);
    await github.close(pull);
    expect(github.violations).toEqual([]);
  });

  it('from a fork are never run', async () => {
    const { repository } = stage;
    const commit = await repository.commit('Of a stranger', { 'stranger.txt': 'x' });
    await repository.push('HEAD:of-a-stranger');
    await repository.push(':of-a-stranger');
    await github.openFromFork({ title: 'Take this', commit, base: 'dev', owner: 'stranger' });
    await stage.daemon.reconciler.look();
    const own = await stage.push('after', 'Of our own', { 'own.txt': 'x' });
    const pull = await github.open({ title: 'Ours', head: 'after', base: 'dev' });
    await told(own, 'rehearse/dev', 'success');
    expect(github.statuses(commit)).toEqual([]);
    await github.close(pull);
    expect(github.violations).toEqual([]);
  });

  it('that were merged are told when their deployment is rejected; the deployment itself is on GitHub', async () => {
    await stage.push('unseen', 'Broken', BROKEN);
    const pull = await github.open({ title: 'Broken', head: 'unseen', base: 'dev' });
    await github.merge(pull);
    const merged = pull.merge_commit_sha ?? '';
    await told(merged, 'deploy/dev', 'failure');
    await waitFor(
      'the comment',
      async () => commentsOf(pull)[0]?.body.includes('Deployment to dev: rejected') || undefined,
    );
    expect(commentsOf(pull)).toHaveLength(1);
    const states = await waitFor('the deployment to end on GitHub', async () => {
      const deployment = github.world.deployments.find(({ sha }) => sha === merged);
      const all = deployment?.statuses.map(({ state }) => state) ?? [];
      return all.includes('failure') ? all : undefined;
    });
    expect(states.at(-1)).toBe('failure');
    expect(github.violations).toEqual([]);
  });
});
