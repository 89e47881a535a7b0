import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Stage, waitFor } from '../kit/daemon.ts';
import { GitHub } from '../kit/github/github.ts';
import { behaviour } from '../kit/repository.ts';

describe('a deployer on GitHub', () => {
  let directory: string;
  let github: GitHub;
  let token: string;
  let stage: Stage;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'github-'));
    github = await GitHub.start(directory);
    token = github.grant();
  });
  afterEach(async () => {
    await stage.strike();
    await github.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function begin(more: Record<string, string> = {}, environment: object = {}): Promise<void> {
    stage = await Stage.onGitHub(github, { ...github.settings(token), ...more }, environment);
    await stage.start();
    await stage.allLive();
  }
  const version = (name: string) => ({ 'behaviour.json': behaviour({ version: name }) });
  const push = (name: string) => stage.push('dev', `Version ${name}`, version(name));
  /** The last status of a context, once it is final. */
  const told = (sha: string, context: string, ...wanted: string[]) =>
    waitFor(`${context} of ${sha.slice(0, 8)}`, async () => {
      const last = github.statuses(sha, context).at(-1);
      const isFinal = wanted.length > 0 ? wanted.includes(last?.state ?? '') : last?.state !== 'pending';
      return isFinal ? last : undefined;
    });
  const deploymentsOf = (sha: string, environment: string) =>
    github.world.deployments.filter((one) => one.sha === sha && one.environment === environment);
  const states = (sha: string, context: string) => github.statuses(sha, context).map(({ state }) => state);

  it('brings a push live, and tells it by statuses in order and by a GitHub Deployment', async () => {
    await begin();
    const commit = await push('two');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed', requestedBy: 'push' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'two', commit } });
    const last = await told(commit, 'deploy/dev');
    expect(last).toMatchObject({
      state: 'success',
      description: expect.stringMatching(/^deployed: /) as string,
    });
    expect(last.target_url).toMatch(new RegExp(`^${stage.daemon.url}/deployments/`));
    expect(states(commit, 'deploy/dev')).toEqual(['pending', 'success']);
    expect(states(commit, 'verify/dev/routes')).toEqual(['success']);
    const deployment = await waitFor('the GitHub Deployment', async () => {
      const [found] = deploymentsOf(commit, 'dev');
      return found?.statuses.at(-1)?.state === 'success' ? found : undefined;
    });
    expect(deployment.statuses[0]?.state).toMatch(/queued|in_progress/);
    expect(deployment.statuses.at(-1)?.log_url).toBe(last.target_url);
    const overview = await (await fetch(`${stage.daemon.url}/`)).text();
    expect(overview).toContain(`${github.serverUrl}/themetalayer/datatracker/commit/${commit}`);
    expect(github.violations).toEqual([]);
  });

  it('tells why a bad push was rejected', async () => {
    await begin();
    const commit = await stage.push('dev', 'Bad', {
      'behaviour.json': behaviour({ version: 'bad', home: 500 }),
    });
    expect(await told(commit, 'deploy/dev')).toMatchObject({
      state: 'failure',
      description: 'rejected: routes: GET / gave 500, expected 200 (server.mjs:1)',
    });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    expect(github.violations).toEqual([]);
  });

  it('finds a push whose webhook was lost', async () => {
    await begin({ DEPLOYER_RECONCILE_INTERVAL: '1' });
    github.world.webhooks.fate = () => 'lose';
    const commit = await push('two');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
    expect(github.violations).toEqual([]);
  });

  it('takes repeated and reordered webhooks for what they are: hints', async () => {
    await begin();
    const { webhooks } = github.world;
    webhooks.fate = () => 'hold';
    const two = await push('two');
    const three = await push('three');
    webhooks.fate = () => 'repeat';
    await webhooks.letGo((count) => Array.from({ length: count }, (_, index) => count - 1 - index));
    expect(await stage.ended('dev', three)).toMatchObject({ outcome: 'deployed' });
    await stage.allLive();
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'three' } });
    expect(states(two, 'deploy/dev')).not.toContain('success');
  });

  it('goes on telling once a revoked token is restored', async () => {
    await begin();
    github.world.credentials.revoke(token);
    const held = github.requests.length;
    await stage.daemon.reconciler.look().catch(() => undefined);
    await waitFor(
      'a refusal',
      async () => github.requests.slice(held).some(({ status }) => status === 401) || undefined,
    );
    github.world.credentials.restore(token);
    const commit = await push('two');
    expect(await told(commit, 'deploy/dev')).toMatchObject({ state: 'success' });
    expect(github.violations).toEqual([]);
  });

  it('tells of a missing permission on the overview, and deploys all the same', async () => {
    github.world.credentials.permit(token, 'statuses', null);
    await begin();
    const { operations, url } = stage.daemon;
    await waitFor('the trouble', async () =>
      (await operations.problems()).some((line) => line.includes('/statuses')) ? true : undefined,
    );
    expect(await (await fetch(`${url}/`)).text()).toContain('give it the permission statuses=');
    expect(github.world.statuses).toEqual([]);
  });

  it('serves what is live while GitHub cannot be reached, and finds afterwards what was pushed', async () => {
    await begin();
    await stage.leave();
    const commit = await push('two');
    github.faults.plan({ fault: 'reset', times: Infinity });
    await stage.start();
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    expect(await stage.daemon.operations.problems()).toContainEqual(
      expect.stringContaining('the branches could not be looked at'),
    );
    github.faults.clear();
    await stage.daemon.reconciler.look();
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  });

  it('comes to the right last status through a storm of failures', async () => {
    await begin();
    const faults = ['server-error', 'unavailable', 'reset', 'lost', 'cut', 'bad-gateway'] as const;
    let count = 0;
    github.faults.dice = (method, path) => {
      if (method === 'GET' || !path.startsWith('/repos/')) return null;
      count += 1;
      return count % 2 === 0 ? (faults[(count / 2) % faults.length] ?? null) : null;
    };
    const commit = await push('two');
    expect(await told(commit, 'deploy/dev')).toMatchObject({ state: 'success' });
    github.faults.clear();
    expect(states(commit, 'deploy/dev').at(-1)).toBe('success');
    expect(github.violations).toEqual([]);
  });

  it('keeps still while a limit is reached, and says everything afterwards', async () => {
    await begin();
    github.faults.plan({ fault: 'secondary-limit', method: 'POST', path: /^\/repos\//, retryAfter: 2 });
    const commit = await push('two');
    expect(await told(commit, 'deploy/dev')).toMatchObject({ state: 'success' });
    const refused = github.requests.findIndex(({ status }) => status === 403);
    const [limit, next] = github.requests
      .slice(refused)
      .filter(({ method, path }) => method === 'POST' && path.startsWith('/repos/'));
    expect((next?.at ?? 0) - (limit?.at ?? 0)).toBeGreaterThanOrEqual(2000);
    expect(github.violations).toEqual([]);
  });

  it('tells nothing twice when it dies and comes back', async () => {
    await begin();
    const commit = await push('two');
    await waitFor('the first status', async () => github.statuses(commit)[0]);
    await stage.leave();
    await stage.start();
    expect(await told(commit, 'deploy/dev')).toMatchObject({ state: 'success' });
    await stage.allLive();
    await waitFor(
      'the GitHub Deployment',
      async () => deploymentsOf(commit, 'dev')[0]?.statuses.at(-1)?.state === 'success' || undefined,
    );
    expect(deploymentsOf(commit, 'dev')).toHaveLength(1);
    expect(states(commit, 'deploy/dev')).toEqual(['pending', 'success']);
    expect(github.violations).toEqual([]);
  });

  it('promotes by a merge on GitHub and tags it with a release note', async () => {
    await begin();
    const feature = await stage.push('feature', 'Two', version('two'));
    const pull = await github.open({ title: 'The second version', head: 'feature', base: 'dev' });
    await github.merge(pull);
    const merged = pull.merge_commit_sha ?? '';
    expect(await stage.ended('dev', merged)).toMatchObject({ outcome: 'deployed' });
    const promoted = await stage.outcome(
      await stage.daemon.operations.promote({ from: 'dev', to: 'prod', by: 'test' }),
    );
    expect(promoted).toMatchObject({ outcome: 'deployed', tag: expect.stringMatching(/^v\d+/) as string });
    expect(await github.world.bare.branch('main')).toBe(promoted.commit);
    expect(await github.world.bare.contains(promoted.commit, feature)).toBe(true);
    const tag = promoted.tag ?? '';
    const message = await waitFor('the tag', async () =>
      github.world.bare.maybe('tag', '-l', '--format=%(contents)', tag).then((text) => text || undefined),
    );
    expect(message).toContain(promoted.id);
    expect(message).toContain(`Pull requests:\n- #${pull.number} The second version\n`);
    expect(github.violations).toEqual([]);
  });

  it('opens a revert pull request after a rollback', async () => {
    await begin({}, { revert: 'pull-request' });
    const commit = await push('two');
    await stage.ended('dev', commit);
    await stage.outcome(
      await stage.daemon.operations.rollback({
        environment: 'dev',
        target: { last: true },
        by: 'alice',
        reason: 'too slow @everyone',
      }),
    );
    const pull = await waitFor('the pull request', async () => github.world.pulls[0]);
    expect(pull).toMatchObject({
      base: { ref: 'dev' },
      title: expect.stringContaining(commit.slice(0, 8)) as string,
    });
    expect(pull.body).toContain('`rolled back: by alice: too slow @everyone`');
    await told(commit, 'deploy/dev', 'failure');
    await github.merge(pull);
    const back = await stage.ended('dev', pull.merge_commit_sha ?? '');
    expect(back).toMatchObject({ outcome: 'deployed' });
    expect(github.violations).toEqual([]);
  });

  it('rehearses a pull request from its own branch, and none from a fork', async () => {
    await begin();
    const good = await stage.push('good', 'Good\n\nExpect: GET / contains "good"', version('good'));
    const bad = await stage.push('bad', 'Bad', {
      'behaviour.json': behaviour({ version: 'bad', home: 500 }),
    });
    const first = await github.open({ title: 'Good', head: 'good', base: 'dev' });
    expect(await told(good, 'rehearse/dev')).toMatchObject({ state: 'success' });
    await github.close(first);
    await github.openFromFork({ title: 'From afar', commit: bad, base: 'dev', owner: 'stranger' });
    const second = await github.open({ title: 'Bad', head: 'bad', base: 'dev' });
    expect(await told(bad, 'rehearse/dev')).toMatchObject({
      state: 'failure',
      description: expect.stringContaining('GET / gave 500, expected 200') as string,
    });
    // One of the fork's would have told the same commit before.
    expect(states(bad, 'rehearse/dev')).toEqual(['pending', 'failure']);
    const commented = await waitFor('the comment', async () =>
      github.world.comments.find(({ issue }) => issue === second.number),
    );
    expect(commented.body).toContain('GET / ');
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    expect(github.violations).toEqual([]);
  });

  it('works as a GitHub App', async () => {
    const app = github.world.credentials.installApp();
    stage = await Stage.onGitHub(github, github.appSettings(app));
    await stage.start();
    await stage.allLive();
    const commit = await push('two');
    expect(await told(commit, 'deploy/dev')).toMatchObject({ state: 'success', creator: 'deployer[bot]' });
    expect(github.violations).toEqual([]);
  });
});
