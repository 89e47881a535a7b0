import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { githubForge } from '../../../../deployer/forge/github/forge.ts';
import type { Forge, Report } from '../../../../deployer/forge/types.ts';
import { parseSettings } from '../../../../deployer/settings.ts';
import { scratch } from '../../release/fixture.ts';

/** github.com as its documentation shows it: https://docs.github.com/rest, version 2022-11-28. */
const SHA = '6dcb09b5b57875f334f61aebed695e2e4193db5e';
const REPO = '/repos/octocat/Hello-World';
const OCTOCAT = { login: 'octocat', id: 1, node_id: 'MDQ6VXNlcjE=', type: 'User', site_admin: false };
const STATUS = {
  url: `https://api.github.com${REPO}/statuses/${SHA}`,
  avatar_url: 'https://github.com/images/error/hubot_happy.gif',
  id: 1,
  node_id: 'MDY6U3RhdHVzMQ==',
  state: 'success',
  description: 'Build has completed successfully',
  target_url: 'https://ci.example.com/1000/output',
  context: 'continuous-integration/jenkins',
  created_at: '2012-07-20T01:19:13Z',
  updated_at: '2012-07-20T01:19:13Z',
  creator: OCTOCAT,
};
const refusal = (message: string) => ({ message, documentation_url: 'https://docs.github.com/rest' });

const report = {
  type: 'status',
  commit: SHA,
  context: 'deploy/dev',
  state: 'failure',
  description: 'rejected: routes: GET /doc/all/ gave 500, expected 200',
  targetUrl: 'https://deploy.example.org/deployments/d1',
  at: 'now',
} as const satisfies Report;

describe('github.com', () => {
  let forge: Forge;
  let now: number;
  const api = () => nock('https://api.github.com');
  const statuses = () => api().get(`${REPO}/commits/${SHA}/statuses`).query({ per_page: 100 });
  const posting = () => {
    statuses().reply(200, [STATUS]);
    return api().post(`${REPO}/statuses/${SHA}`);
  };

  beforeEach(async () => {
    nock.disableNetConnect();
    now = Date.parse('2026-11-21T12:00:00Z');
    const { github: settings } = parseSettings({
      GITHUB_REPOSITORY: 'octocat/Hello-World',
      GITHUB_TOKEN: 'github_pat_0123456789',
      GITHUB_WEBHOOK_SECRET: 'secret',
    });
    if (!settings) throw new Error('no settings');
    forge = githubForge({
      settings,
      home: await scratch(),
      url: 'https://deploy.example.org',
      clock: () => new Date(now),
      time: { now: () => now, wait: async (milliseconds) => void (now += milliseconds) },
    });
  });
  afterEach(() => {
    forge.close?.();
    const pending = nock.pendingMocks();
    nock.cleanAll();
    nock.enableNetConnect();
    if (pending.length > 0) throw new Error(`not asked: ${pending.join(', ')}`);
  });

  it('is told a status with the token, and says who we are', async () => {
    statuses()
      .matchHeader('authorization', 'token github_pat_0123456789')
      .matchHeader('user-agent', /^deployer\//)
      .reply(200, [STATUS]);
    api()
      .post(`${REPO}/statuses/${SHA}`, {
        state: 'failure',
        context: 'deploy/dev',
        description: 'rejected: routes: GET /doc/all/ gave 500, expected 200',
        target_url: 'https://deploy.example.org/deployments/d1',
      })
      .reply(201, STATUS);
    await forge.send(report);
    expect(forge.commitUrl?.(SHA)).toBe(`https://github.com/octocat/Hello-World/commit/${SHA}`);
  });

  it('names the permission that is missing', async () => {
    posting().reply(403, refusal('Resource not accessible by personal access token'), {
      'x-accepted-github-permissions': 'statuses=write',
    });
    await expect(forge.send(report)).rejects.toMatchObject({ retryable: true, pausesAll: false });
    expect(forge.trouble()).toMatchObject({ mend: 'give it the permission statuses=write' });
  });

  it.each([
    ['retry-after', 403, { 'retry-after': '30' }, 30_000],
    ['retry-after on 429', 429, { 'retry-after': '7' }, 7000],
    [
      'the reset of the primary limit',
      403,
      {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Date.parse('2026-11-21T12:10:00Z') / 1000),
      },
      600_000,
    ],
    ['nothing: a minute', 403, {}, 60_000],
  ])('is left alone for as long as it asks: %s', async (_name, status, headers, retryAfterMs) => {
    posting().reply(status, refusal('You have exceeded a secondary rate limit.'), headers);
    await expect(forge.send(report)).rejects.toMatchObject({
      retryable: true,
      retryAfterMs,
      pausesAll: true,
    });
  });

  it('that does not say how long is left alone twice as long each time, until a change was taken', async () => {
    const waits: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      posting().reply(403, refusal('You have exceeded a secondary rate limit.'));
      await forge.send(report).catch(({ retryAfterMs }: { retryAfterMs: number }) => {
        waits.push(retryAfterMs);
        now += retryAfterMs;
      });
    }
    posting().reply(201, STATUS);
    await forge.send(report);
    posting().reply(403, refusal('You have exceeded a secondary rate limit.'));
    await expect(forge.send(report)).rejects.toMatchObject({ retryAfterMs: 60_000 });
    expect(waits).toEqual([60_000, 120_000, 240_000]);
  });

  it.each([
    ['a commit that it does not have', 422, `No commit found for SHA: ${SHA}`],
    ['too many statuses', 422, 'This SHA and context has reached the maximum number of statuses.'],
  ])('ends a report for good: %s', async (_name, status, message) => {
    posting().reply(status, refusal(message));
    await expect(forge.send(report)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining(message),
    });
  });

  it('that answers 404 ends a report only while the repository may be written to', async () => {
    const repository = (push: boolean) => ({
      id: 1296269,
      name: 'Hello-World',
      full_name: 'octocat/Hello-World',
      owner: OCTOCAT,
      private: false,
      archived: false,
      permissions: { admin: false, push, pull: true },
    });
    posting().reply(404, refusal('Not Found'));
    api().get(REPO).reply(200, repository(false));
    await expect(forge.send(report)).rejects.toMatchObject({ retryable: true });
    posting().reply(404, refusal('Not Found'));
    api().get(REPO).reply(200, repository(true));
    await expect(forge.send(report)).rejects.toMatchObject({ retryable: false });
  });

  it.each([
    ['a body that is not JSON', 'Unicorn! · GitHub', { 'content-type': 'text/html' }],
    ['half of a body', '{"id": 1, "state": "succ', { 'content-type': 'application/json' }],
    ['nothing', '', { 'content-type': 'application/json' }],
    ['JSON of another shape', '{"message": "ok"}', { 'content-type': 'application/json' }],
  ])('is asked again whether it happened after %s', async (_name, body, headers) => {
    posting().reply(201, body, headers);
    await expect(forge.send(report)).rejects.toMatchObject({ retryable: true });
    const { context, state, description, targetUrl: target_url } = report;
    statuses().reply(200, [{ ...STATUS, context, state, description, target_url }]);
    await forge.send(report);
  });

  it('lists what comes in pages, and pages again only what has changed', async () => {
    const tags = () => api().get(`${REPO}/tags`);
    const link = `<https://api.github.com/repositories/1296269/tags?per_page=100&page=2>; rel="next"`;
    tags()
      .query({ page: 1, per_page: 100 })
      .reply(200, [{ name: 'v1' }], { link, etag: '"one"' });
    tags()
      .query({ page: 2, per_page: 100 })
      .reply(200, [{ name: 'v2' }], { etag: '"two"' });
    expect(await forge.tags()).toEqual(['v1', 'v2']);
    tags().query({ page: 1, per_page: 100 }).matchHeader('if-none-match', '"one"').reply(304, '');
    tags()
      .query({ page: 2, per_page: 100 })
      .matchHeader('if-none-match', '"two"')
      .reply(200, [{ name: 'v2' }, { name: 'v3' }]);
    expect(await forge.tags()).toEqual(['v1', 'v2', 'v3']);
  });

  it('finds a Deployment by our id, whether it gives the payload back as JSON or as its text', async () => {
    const deployment = { id: 42, sha: SHA, ref: SHA, task: 'deploy', environment: 'dev' };
    const sent: Report = {
      type: 'deployment',
      deployment: 'd1',
      commit: SHA,
      environment: 'dev',
      state: 'success',
      description: 'live',
      production: false,
      environmentUrl: null,
      logUrl: 'https://deploy.example.org/deployments/d1',
      at: 'now',
    };
    for (const payload of ['{"deployment":"d1"}', { deployment: 'd1' }]) {
      api()
        .get(`${REPO}/deployments`)
        .query({ sha: SHA, environment: 'dev', page: 1, per_page: 100 })
        .reply(200, [
          { ...deployment, id: 41, payload: 'not JSON' },
          { ...deployment, payload },
        ]);
      api().get(`${REPO}/deployments/42/statuses`).query({ per_page: 1 }).reply(200, []);
      api()
        .post(`${REPO}/deployments/42/statuses`, {
          state: 'success',
          description: 'live',
          log_url: sent.logUrl,
        })
        .reply(201, { id: 1, state: 'success' });
      await forge.send(sent);
      expect(nock.pendingMocks()).toEqual([]);
    }
  });
});
