import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../kit/daemon.ts';
import { GitHub } from '../../kit/github/github.ts';
import { Repository } from '../../kit/repository.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const SECRET = 's'.repeat(20);

interface Got {
  event: string;
  guid: string;
  signed: boolean;
  payload: Record<string, unknown>;
}

describe('the double of GitHub', () => {
  let directory: string;
  let github: GitHub;
  let work: Repository;
  let receiver: Server;
  let got: Got[];
  let answerWith: number;

  // These requests are not the deployer's.
  beforeAll(() => void vi.stubEnv('GITHUB_REQUESTS', ''));
  afterAll(() => vi.unstubAllEnvs());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'github-'));
    github = await GitHub.start(directory);
    work = await Repository.clone(join(directory, 'work'), github.pushUrl);
    got = [];
    answerWith = 202;
    receiver = createServer((request, response) => {
      void (async () => {
        const body = (await Array.fromAsync(request as AsyncIterable<Buffer>)).map(String).join('');
        const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
        got.push({
          event: String(request.headers['x-github-event']),
          guid: String(request.headers['x-github-delivery']),
          signed: request.headers['x-hub-signature-256'] === signature,
          payload: JSON.parse(body) as Record<string, unknown>,
        });
        response.writeHead(answerWith).end();
      })();
    }).listen(0, '127.0.0.1');
    await waitFor('the receiver', () => Promise.resolve(receiver.listening || undefined));
  });
  afterEach(async () => {
    receiver.close();
    await github.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const octokit = (token = github.grant()) =>
    new Octokit({
      auth: token,
      baseUrl: github.apiUrl,
      log: QUIET,
    });
  const where = { owner: 'themetalayer', repo: 'datatracker' };
  const hook = () => {
    const { port } = receiver.address() as { port: number };
    return github.hook({ url: `http://127.0.0.1:${port}/webhooks/github`, secret: SECRET });
  };
  const push = async (message: string, branch = 'main') => {
    const commit = await work.commit(message, { [`${message}.txt`]: message });
    await work.push(`HEAD:${branch}`);
    return commit;
  };

  it('takes a push over HTTP only with a token, and tells it by a signed webhook', async () => {
    hook();
    const commit = await push('one');
    await waitFor('the webhook', () => Promise.resolve(got[0]));
    expect(got[0]).toMatchObject({
      event: 'push',
      signed: true,
      payload: {
        ref: 'refs/heads/main',
        after: commit,
        created: true,
        repository: { full_name: 'themetalayer/datatracker' },
      },
    });
    const anonymous = `${github.serverUrl}/themetalayer/datatracker.git`;
    await expect(work.git('-c', 'credential.helper=', 'ls-remote', anonymous)).rejects.toThrow(
      /could not read Username|Authentication failed/,
    );
    expect(await work.git('ls-remote', github.pushUrl, 'refs/heads/main')).toContain(commit);
    expect(github.violations).toEqual([]);
  });

  it('keeps statuses, refuses what GitHub refuses, and pages', async () => {
    const sha = await push('one');
    const { rest, paginate } = octokit();
    for (let number = 0; number < 5; number += 1)
      await rest.repos.createCommitStatus({ ...where, sha, state: 'pending', context: `deploy/${number}` });
    const all = await paginate(rest.repos.listCommitStatusesForRef, { ...where, ref: sha, per_page: 2 });
    expect(all.map(({ context }) => context)).toEqual([
      'deploy/4',
      'deploy/3',
      'deploy/2',
      'deploy/1',
      'deploy/0',
    ]);
    const long = rest.repos.createCommitStatus({
      ...where,
      sha,
      state: 'error',
      description: 'x'.repeat(141),
    });
    await expect(long).rejects.toMatchObject({ status: 422 });
    const unknown = rest.repos.createCommitStatus({ ...where, sha: '1'.repeat(40), state: 'error' });
    await expect(unknown).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('No commit found') as string,
    });
    expect(github.violations).toEqual([]);
  });

  it('records unknown keys, parameters and endpoints as violations', async () => {
    const sha = await push('one');
    const client = octokit();
    await expect(
      client.request('POST /repos/{owner}/{repo}/statuses/{sha}', {
        ...where,
        sha,
        state: 'success',
        colour: 'red',
      }),
    ).rejects.toMatchObject({ status: 422 });
    await client.request('GET /repos/{owner}/{repo}/pulls', { ...where, colour: 'red' });
    await expect(client.request('GET /repos/themetalayer/datatracker/colours')).rejects.toMatchObject({
      status: 404,
    });
    expect(github.violations).toHaveLength(3);
  });

  it('makes deployments only when the statuses allow it, and makes the earlier one inactive', async () => {
    const sha = await push('one');
    const { rest } = octokit();
    await rest.repos.createCommitStatus({ ...where, sha, state: 'pending', context: 'deploy/dev' });
    await expect(
      rest.repos.createDeployment({ ...where, ref: sha, environment: 'dev' }),
    ).rejects.toMatchObject({ status: 409 });
    const deploy = async () => {
      const made = await rest.repos.createDeployment({
        ...where,
        ref: sha,
        environment: 'dev',
        required_contexts: [],
        auto_merge: false,
      });
      if (made.status !== 201) throw new Error('not made');
      await rest.repos.createDeploymentStatus({
        ...where,
        deployment_id: made.data.id,
        state: 'success',
        environment_url: 'http://dev.example',
      });
      return made.data.id;
    };
    const first = await deploy();
    await deploy();
    const { data } = await rest.repos.listDeploymentStatuses({ ...where, deployment_id: first });
    expect(data.map(({ state }) => state)).toEqual(['inactive', 'success']);
  });

  it("tags, merges, and merges pull requests with GitHub's messages", async () => {
    hook();
    const first = await push('one');
    await work.git('checkout', '-q', '-b', 'feature');
    const head = await push('two', 'feature');
    const { rest } = octokit();
    const { data: tag } = await rest.git.createTag({
      ...where,
      tag: 'v1',
      message: 'The first',
      object: first,
      type: 'commit',
    });
    await rest.git.createRef({ ...where, ref: 'refs/tags/v1', sha: tag.sha });
    await expect(rest.git.createRef({ ...where, ref: 'refs/tags/v1', sha: tag.sha })).rejects.toMatchObject({
      status: 422,
    });
    const { data: pull } = await rest.pulls.create({ ...where, title: 'Two', head: 'feature', base: 'main' });
    await expect(
      rest.pulls.create({ ...where, title: 'Two', head: 'feature', base: 'main' }),
    ).rejects.toThrow(/already exists for themetalayer:feature/);
    const { data: merged } = await rest.pulls.merge({ ...where, pull_number: pull.number });
    await work.git('fetch', '-q', github.pushUrl, 'main');
    expect(await work.git('show', '-s', '--format=%P%n%s', 'FETCH_HEAD')).toBe(
      `${first} ${head}\nMerge pull request #${pull.number} from themetalayer/feature`,
    );
    await github.world.webhooks.settled();
    expect(
      got.map(({ event, payload }) => `${event} ${String(payload['action'] ?? payload['ref'])}`),
    ).toEqual([
      'push refs/heads/main',
      'push refs/heads/feature',
      'push refs/tags/v1',
      'pull_request opened',
      'push refs/heads/main',
      'pull_request closed',
    ]);
    expect(got.at(-1)?.payload).toMatchObject({
      pull_request: { merged: true, merge_commit_sha: merged.sha },
    });
    const again = await rest.repos.merge({ ...where, base: 'main', head: 'feature' });
    expect(again.status).toBe(204);
    expect(github.violations).toEqual([]);
  });

  it('squashes into one commit that keeps every message', async () => {
    await push('one');
    await work.git('checkout', '-q', '-b', 'feature');
    await work.commit('Two\n\nExpect: GET / contains "two"', {});
    await work.commit('Three', {});
    await work.push('HEAD:feature');
    const pull = await github.open({ title: 'Both', head: 'feature', base: 'main' });
    const sha = await github.merge(pull, 'squash');
    expect((await github.world.bare.commit(sha))?.message).toBe(
      `Both (#${pull.number})\n\n* Two\n\nExpect: GET / contains "two"\n\n* Three`,
    );
    expect((await github.world.bare.commit(sha))?.parents).toHaveLength(1);
  });

  it('never sends a delivery again by itself, and again under the same id when it is asked to', async () => {
    const id = hook();
    answerWith = 503;
    await push('one');
    const { rest } = octokit();
    const failed = await waitFor('the failed delivery', async () => {
      const { data } = await rest.repos.listWebhookDeliveries({ ...where, hook_id: id });
      return data[0];
    });
    expect(failed).toMatchObject({ status_code: 503, redelivery: false, event: 'push' });
    answerWith = 202;
    await rest.repos.redeliverWebhookDelivery({ ...where, hook_id: id, delivery_id: failed.id });
    await waitFor('the second', () => Promise.resolve(got[1]));
    expect(got[1]).toEqual(got[0]);
  });

  it('loses, repeats and reorders webhooks on demand', async () => {
    hook();
    const { webhooks } = github.world;
    webhooks.fate = () => 'lose';
    await push('one');
    webhooks.fate = () => 'repeat';
    await push('two');
    await waitFor('both', () => Promise.resolve(got.length === 2 || undefined));
    expect(new Set(got.map(({ guid }) => guid)).size).toBe(1);
    webhooks.fate = () => 'hold';
    const [three, four] = [await push('three'), await push('four')];
    await waitFor('both held', () => Promise.resolve(webhooks.held === 2 || undefined));
    await webhooks.letGo(() => [1, 0]);
    expect(got.slice(2).map(({ payload }) => payload['after'])).toEqual([four, three]);
  });

  it('fails as GitHub fails, with the effect or without it', async () => {
    const sha = await push('one');
    const { rest } = octokit();
    const create = (context: string) =>
      rest.repos.createCommitStatus({ ...where, sha, state: 'success', context });
    github.faults.plan({ fault: 'secondary-limit', retryAfter: 7 });
    await expect(create('a')).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'retry-after': '7' } },
    });
    for (const fault of ['reset', 'server-error', 'unavailable'] as const) {
      github.faults.plan({ fault });
      await expect(create('b')).rejects.toThrow(/fetch failed|Server Error|unavailable|socket|closed/i);
    }
    expect(github.statuses(sha)).toEqual([]);
    github.faults.plan({ fault: 'lost', method: 'POST' });
    await expect(create('c')).rejects.toThrow(/fetch failed|socket|closed/i);
    github.faults.plan({ fault: 'cut', method: 'POST' });
    await create('d').catch(() => undefined);
    expect(github.statuses(sha).map(({ context }) => context)).toEqual(['c', 'd']);
  });

  it('refuses a revoked token and a missing permission, and takes both back', async () => {
    const sha = await push('one');
    const token = github.grant();
    const { rest } = octokit(token);
    const { credentials } = github.world;
    const create = () => rest.repos.createCommitStatus({ ...where, sha, state: 'success' });
    credentials.revoke(token);
    await expect(create()).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('Bad credentials') as string,
    });
    await expect(
      work.git(
        'ls-remote',
        `${github.serverUrl.replace('://', `://x-access-token:${token}@`)}/themetalayer/datatracker.git`,
      ),
    ).rejects.toThrow(/could not read Username|Authentication failed/);
    credentials.restore(token);
    credentials.permit(token, 'statuses', 'read');
    await expect(create()).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'x-accepted-github-permissions': 'statuses=write' } },
    });
    credentials.permit(token, 'statuses', 'write');
    await create();
  });

  it('knows an App by its key, and its installation by the repository', async () => {
    const sha = await push('one');
    const app = github.world.credentials.installApp();
    const appOctokit = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: app.id, privateKey: app.privateKey },
      baseUrl: github.apiUrl,
    });
    const { data: installation } = await appOctokit.rest.apps.getRepoInstallation(where);
    const installed = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: app.id, privateKey: app.privateKey, installationId: installation.id },
      baseUrl: github.apiUrl,
    });
    await installed.rest.repos.createCommitStatus({ ...where, sha, state: 'success' });
    expect(github.statuses(sha)[0]?.creator).toBe('deployer[bot]');
    const stranger = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: '1', privateKey: app.privateKey },
      baseUrl: github.apiUrl,
      log: QUIET,
    });
    await expect(stranger.rest.apps.getRepoInstallation(where)).rejects.toMatchObject({ status: 401 });
  });

  it('answers 304 to a conditional request when nothing has changed', async () => {
    await push('one');
    const client = octokit();
    const { headers } = await client.rest.repos.getBranch({ ...where, branch: 'main' });
    const again = () =>
      client.rest.repos.getBranch({ ...where, branch: 'main', headers: { 'if-none-match': headers.etag } });
    await expect(again()).rejects.toMatchObject({ status: 304 });
    await push('two');
    expect((await again()).status).toBe(200);
  });
});
