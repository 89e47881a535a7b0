import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { git } from '../../../../deployer/release/git.ts';
import { openMirror } from '../../../../deployer/release/mirror.ts';
import { scratch } from '../../release/fixture.ts';
import { githubPlace } from './place.ts';

const statusOf = (commit: string, context = 'deploy/dev') =>
  ({
    type: 'status',
    commit,
    context,
    state: 'success',
    description: 'deployed',
    targetUrl: 'https://deploy.example.org/deployments/d1',
    at: 'now',
  }) as const;

/** Something that takes every delivery. */
async function receiver(): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(202).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}

describe('git', () => {
  it('fetches with the token, which neither its environment nor its argv holds', async () => {
    const { forge, first, token } = await githubPlace();
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    await mirror.fetch();
    expect(await mirror.branches()).toEqual(new Map([['main', first]]));
    const access = await forge.remote.access?.();
    expect(JSON.stringify([access?.env, forge.remote.url])).not.toContain(token);
    expect(access?.secret).toContain(token);
  });

  it('gives the token to no other server', async () => {
    const { forge, token } = await githubPlace();
    const access = await forge.remote.access?.();
    const asking = git(['credential', 'fill'], {
      input: 'protocol=https\nhost=elsewhere.example\n\n',
      env: access?.env ?? {},
      secret: access?.secret,
    });
    await expect(asking).rejects.toThrow('could not read Username');
    const { forge: same } = await githubPlace();
    expect(same.remote.url).not.toContain(token);
  });

  it('that is refused says so', async () => {
    const { github, forge, token } = await githubPlace();
    github.world.credentials.revoke(token);
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    await expect(mirror.fetch()).rejects.toThrow(/Authentication failed|401|403/);
  });
});

describe('an App', () => {
  it('is found by its installation in the repository, and renews its tokens', async () => {
    const { github, forge, first } = await githubPlace((double) => double.world.credentials.installApp());
    await forge.send(statusOf(first));
    const made = () => github.requests.filter(({ path }) => path.endsWith('/access_tokens')).length;
    await forge.send(statusOf(first, 'verify/dev/routes'));
    expect(made()).toBe(1);
    expect(github.statuses(first)).toHaveLength(2);
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    await mirror.fetch();
    expect((await mirror.branches()).get('main')).toBe(first);
    expect(github.violations).toEqual([]);
  });

  it('whose token GitHub does not take any more gets another one', async () => {
    const { github, forge, first } = await githubPlace((double) => double.world.credentials.installApp());
    await forge.send(statusOf(first));
    const { secret } = (await forge.remote.access?.()) ?? {};
    github.world.credentials.revoke(/password=(.+)/.exec(secret ?? '')?.[1] ?? '');
    await expect(forge.send(statusOf(first, 'other'))).rejects.toMatchObject({ retryable: true });
    await forge.send(statusOf(first, 'other'));
    expect(github.statuses(first)).toHaveLength(2);
  });

  it('whose token was cut off in mid-answer asks for another', async () => {
    const { github, forge, first } = await githubPlace((double) => double.world.credentials.installApp());
    github.faults.plan({ fault: 'cut', path: /access_tokens/ });
    await expect(forge.send(statusOf(first))).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('was cut off'),
    });
    await forge.send(statusOf(first));
    expect(github.statuses(first)).toHaveLength(1);
  });
});

describe('trouble', () => {
  it('is told for a revoked token, and ends when it is valid again, without a restart', async () => {
    const { github, forge, first, token } = await githubPlace();
    expect(forge.trouble()).toBeNull();
    github.world.credentials.revoke(token);
    const refused = { retryable: true, pausesAll: true, message: expect.stringContaining('401') };
    await expect(forge.send(statusOf(first))).rejects.toMatchObject(refused);
    expect(forge.trouble()).toMatchObject({
      what: expect.stringContaining('GitHub answered 401'),
      mend: expect.stringContaining('GITHUB_TOKEN'),
    });
    github.world.credentials.restore(token);
    await forge.send(statusOf(first));
    expect(forge.trouble()).toBeNull();
  });

  it('is told for a missing permission, which concerns that alone', async () => {
    const { github, forge, first, token } = await githubPlace();
    github.world.credentials.permit(token, 'statuses', 'read');
    await expect(forge.send(statusOf(first))).rejects.toMatchObject({ retryable: true, pausesAll: false });
    await forge.send({ type: 'tag', commit: first, name: 'v1', message: 'm' });
    expect(forge.trouble()).toMatchObject({
      what: expect.stringContaining('POST /repos/{owner}/{repo}/statuses/{sha}'),
      mend: expect.stringContaining('statuses=write'),
    });
    github.world.credentials.permit(token, 'statuses', 'write');
    await forge.send(statusOf(first));
    expect(forge.trouble()).toBeNull();
  });

  it('asks for writing when reading was refused already: both are needed', async () => {
    const { github, forge, first, token } = await githubPlace();
    github.world.credentials.permit(token, 'statuses', null);
    await expect(forge.send(statusOf(first))).rejects.toMatchObject({ retryable: true });
    expect(forge.trouble()?.mend).toBe('give it the permission statuses=write');
  });

  it('is what doctor checks too', async () => {
    const { github, forge, token } = await githubPlace();
    expect((await forge.checks()).every(({ success }) => success)).toBe(true);
    github.world.credentials.revoke(token);
    expect(await forge.checks()).toMatchObject([
      {
        success: false,
        actual: expect.stringContaining('401'),
        hint: expect.stringContaining('GITHUB_TOKEN'),
      },
    ]);
  });

  it('of a repository that the token may not see does not end reports', async () => {
    const { forge, first, again } = await githubPlace();
    await forge.send(statusOf(first));
    const other = again({ env: { GITHUB_REPOSITORY: 'themetalayer/elsewhere' } });
    await expect(other.send(statusOf(first))).rejects.toMatchObject({ retryable: true });
  });

  it('is told for a git that is refused, with its mend, until it is answered again', async () => {
    const { github, forge, token } = await githubPlace();
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    github.world.credentials.revoke(token);
    await expect(mirror.fetch()).rejects.toThrow(/Authentication failed|could not read/);
    expect(forge.trouble()).toMatchObject({
      what: expect.stringMatching(/^git fetch: .*(could not read|Authentication failed)/),
      mend: expect.stringContaining('GITHUB_TOKEN'),
    });
    github.world.credentials.restore(token);
    await mirror.fetch();
    expect(forge.trouble()).toBeNull();
  });

  it('of git makes an App ask for another token', async () => {
    const { github, forge } = await githubPlace((double) => double.world.credentials.installApp());
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    await mirror.fetch();
    const { secret } = (await forge.remote.access?.()) ?? {};
    github.world.credentials.revoke(/password=(.+)/.exec(secret ?? '')?.[1] ?? '');
    await expect(mirror.fetch()).rejects.toThrow(/Authentication failed|could not read/);
    await mirror.fetch();
    expect(forge.trouble()).toBeNull();
  });
});

describe('a repository that was renamed or transferred', () => {
  it('goes on being used, by its new name, and that is told with its mend', async () => {
    const { github, forge, first, work } = await githubPlace();
    const mirror = await openMirror({ directory: join(await scratch(), 'm.git'), remote: forge.remote });
    await forge.redeliverFailed(new Date(0));
    expect(forge.trouble()).toBeNull();
    github.world.rename('elsewhere/archive-of-rfcs');
    await work.git('remote', 'add', 'new', github.pushUrl);
    await forge.send(statusOf(first));
    await mirror.fetch();
    await forge.redeliverFailed(new Date(0));
    expect(forge.trouble()).toMatchObject({
      what: 'themetalayer/datatracker is called elsewhere/archive-of-rfcs now',
      mend: 'set GITHUB_REPOSITORY=elsewhere/archive-of-rfcs and restart the deployer',
    });
    expect(forge.remote.url).toBe(`${github.serverUrl}/elsewhere/archive-of-rfcs.git`);
    await forge.send(statusOf(first, 'other'));
    await mirror.fetch();
    expect((await mirror.branches()).get('main')).toBe(first);
    expect(github.statuses(first)).toHaveLength(2);
    expect(github.violations).toEqual([]);
  });

  it('is known by its next delivery, and not by one of before that is sent again', async () => {
    const { forge } = await githubPlace();
    await forge.redeliverFailed(new Date(0));
    expect(forge.owns?.({ id: 42, full_name: 'elsewhere/archive-of-rfcs' })).toBe(true);
    expect(forge.owns?.({ id: 42, full_name: 'themetalayer/datatracker' })).toBe(true);
    expect(forge.trouble()?.what).toBe('themetalayer/datatracker is called elsewhere/archive-of-rfcs now');
  });

  it('is known by its id in deliveries, and another one of its old name is not it', async () => {
    const { github, forge, again } = await githubPlace();
    const old = { id: 42, full_name: 'TheMetaLayer/Datatracker' };
    const other = { id: 43, full_name: 'themetalayer/datatracker' };
    expect([old, other, { full_name: 'another/one' }].map((one) => forge.owns?.(one))).toEqual([
      true,
      true,
      false,
    ]);
    github.world.rename('elsewhere/archive-of-rfcs');
    await forge.redeliverFailed(new Date(0));
    expect([old, other].map((one) => forge.owns?.(one))).toEqual([true, false]);
    expect(forge.owns?.({ id: 42, full_name: 'elsewhere/archive-of-rfcs' })).toBe(true);
    const checks = await again().checks();
    expect(checks.find(({ name }) => name === 'GitHub: its name')).toMatchObject({
      success: false,
      hint: 'set GITHUB_REPOSITORY=elsewhere/archive-of-rfcs and restart the deployer',
    });
  });
});

describe('deliveries that failed', () => {
  it('are asked for again, and not those that have arrived since', async () => {
    const { github, work, again } = await githubPlace();
    const url = await receiver();
    const forge = again({ url });
    const since = new Date(Date.now() - 60_000);
    expect(await forge.redeliverFailed(since)).toBe(0);
    github.hook({ url: `${url}/webhooks/github`, secret: 's' });
    github.hook({ url: 'http://127.0.0.1:9/webhooks/github', secret: 'of somebody else' });
    github.world.webhooks.fate = () => 'fail';
    await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:main', 'HEAD:dev');
    await expect.poll(() => github.world.webhooks.deliveries.length).toBe(4);
    // Again without success, then with it.
    expect(await forge.redeliverFailed(since)).toBe(2);
    expect(await forge.redeliverFailed(new Date(Date.now() + 60_000))).toBe(0);
    github.world.webhooks.fate = () => 'send';
    expect(await forge.redeliverFailed(since)).toBe(2);
    await github.world.webhooks.settled();
    expect(await forge.redeliverFailed(since)).toBe(0);
    expect(github.violations).toEqual([]);
  });

  it('again and again are not asked for any more', async () => {
    const { github, forge, work } = await githubPlace();
    github.hook({ url: 'https://deploy.example.org/webhooks/github', secret: 's' });
    github.world.webhooks.fate = () => 'fail';
    await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:main');
    await expect.poll(() => github.world.webhooks.deliveries.length).toBe(1);
    const asked: number[] = [];
    for (let look = 0; look < 6; look += 1) asked.push(await forge.redeliverFailed(new Date(0)));
    expect(asked).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('are left alone, and said so, where the token may not see webhooks', async () => {
    const { github, forge, token } = await githubPlace();
    github.world.credentials.permit(token, 'repository_hooks', null);
    expect(await forge.redeliverFailed(new Date(0))).toBe(0);
    expect(forge.trouble()).toMatchObject({ what: expect.stringContaining('/hooks') });
  });
});
