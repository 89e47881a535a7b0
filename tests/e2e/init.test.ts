import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitHub } from '../kit/github/github.ts';
import { freePort } from '../kit/daemon.ts';
import { Repository, sampleFiles } from '../kit/repository.ts';
import { runCli } from '../integration/cli/run-cli.ts';
import type { Check } from '../../deployer/deployment/model.ts';

describe('init', () => {
  let directory: string;
  let github: GitHub;
  let work: Repository;
  let token: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'init-'));
    github = await GitHub.start(directory);
    work = await Repository.clone(join(directory, 'work'), github.pushUrl);
    await sampleFiles(work, { dev: await freePort(), prod: await freePort() });
    await work.push('HEAD:dev', 'HEAD:main');
    token = github.grant();
    const { GITHUB_REPOSITORY: _repository, ...settings } = github.settings(token);
    env = { ...settings, DEPLOYER_HOME: join(directory, 'home'), DEPLOYER_LISTEN: '127.0.0.1:9' };
  });
  afterEach(async () => {
    await github.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function init(repository = github.world.fullName, more: Record<string, string> = {}) {
    const options = { env: { ...env, ...more }, cwd: work.directory };
    const ran = await runCli(['init', '--repo', repository, '--json'], options);
    const { success, outcome, details } = JSON.parse(ran.stdout) as {
      success: boolean;
      outcome: string;
      details: { checks: Check[] };
    };
    const of = (name: string) => details.checks?.find((check) => check.name.startsWith(name));
    return { code: ran.code, success, outcome, of, said: ran.stdout + ran.stderr, details };
  }
  const changes = () =>
    github.requests.filter(({ method, template, status }) => template && method !== 'GET' && status < 300);
  const file = () => readFile(join(directory, 'home', 'settings.env'), 'utf8');

  it('creates the webhook, writes the settings file, proposes checks; and the second time changes nothing', async () => {
    const first = await init();
    expect(first).toMatchObject({ code: 0, outcome: 'ok', success: true });
    const [hook] = github.world.webhooks.hooks;
    expect(hook).toMatchObject({
      active: true,
      events: ['push', 'pull_request'],
      config: { url: 'http://127.0.0.1:9/webhooks/github', content_type: 'json', insecure_ssl: '0' },
    });
    const secret = hook?.config.secret ?? '';
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const written = await file();
    expect(written).toContain(`GITHUB_WEBHOOK_SECRET=${secret}\n`);
    expect(written).toContain(`GITHUB_REPOSITORY=themetalayer/datatracker\n`);
    expect((await stat(join(directory, 'home', 'settings.env'))).mode & 0o777).toBe(0o600);
    expect(first.of('branch main')).toMatchObject({
      success: true,
      hint: 'proposed: require rehearse/prod and deploy/dev in the protection of main (Settings, Branches)',
    });
    expect(first.said).not.toContain(secret);
    expect(first.said).not.toContain(token);

    const before = changes().length;
    const second = await init();
    expect(second).toMatchObject({ code: 0, outcome: 'ok' });
    expect(second.of('webhook')?.actual).toBe('as it should be');
    expect(second.of('settings file')?.actual).toBe('as it should be');
    expect(changes().length).toBe(before);
    expect(await file()).toBe(written);
    // What it asks for to see whether it may is never done.
    expect(changes().map(({ template }) => template)).toEqual(['/repos/{owner}/{repo}/hooks']);
    expect(github.violations).toEqual([]);
  });

  it('takes an address that is written otherwise for its own, and makes no second webhook', async () => {
    await init();
    const [hook] = github.world.webhooks.hooks;
    if (!hook) throw new Error('no hook');
    hook.config.url = 'http://127.0.0.1:9/Webhooks/GitHub/';
    expect((await init()).of('webhook')?.actual).toBe('repaired: url');
    expect(github.world.webhooks.hooks.map(({ config }) => config.url)).toEqual([
      'http://127.0.0.1:9/webhooks/github',
    ]);
  });

  it('repairs a webhook that sends forms, lacks an event, or has another secret', async () => {
    await init();
    const [hook] = github.world.webhooks.hooks;
    if (!hook) throw new Error('no hook');
    const secret = hook.config.secret;
    Object.assign(hook, { active: false, events: ['push', 'release'] });
    Object.assign(hook.config, { content_type: 'form', secret: 'another' });
    expect((await init()).of('webhook')?.actual).toBe('repaired: active, events, content_type');
    expect(hook).toMatchObject({ active: true, events: ['push', 'release', 'pull_request'] });
    expect(hook.config).toMatchObject({ content_type: 'json', secret });
    expect((await init()).of('webhook')?.actual).toBe('as it should be');
    github.world.webhooks.deliveries.push({
      id: 1,
      guid: 'g',
      hook,
      event: 'push',
      payload: {},
      redelivery: false,
      delivered_at: new Date().toISOString(),
      status: 'Unauthorized',
      status_code: 401,
      duration: 0,
    });
    expect((await init()).of('webhook')?.actual).toBe('repaired: secret');
  });

  it.each([
    ['statuses', 'permission statuses=write', /needed for commit statuses: give it to the token/],
    ['contents', 'permission contents=write', /needed for tags/],
    ['issues', 'permission issues=write', /needed for comments/],
    ['repository_hooks', 'webhook', /repository_hooks=write .*or create it by hand/],
  ])('names the permission %s that is missing, and how to mend it', async (name, check, hint) => {
    github.world.credentials.permit(token, name, name === 'contents' ? 'read' : null);
    const ran = await init();
    expect(ran).toMatchObject({ code: 1, outcome: 'failed', success: false });
    expect(ran.of(check)).toMatchObject({ success: false, hint: expect.stringMatching(hint) as string });
    expect(ran.details.checks.filter(({ success }) => !success)).toHaveLength(1);
  });

  it('names the permission without which not even a branch can be seen', async () => {
    github.world.credentials.permit(token, 'contents', null);
    const ran = await init();
    expect(ran).toMatchObject({ code: 1, outcome: 'failed' });
    expect(ran.of('permission contents=write')?.success).toBe(false);
    expect(ran.of('branch main')).toMatchObject({
      success: false,
      hint: 'give the token or the App the permission contents=write, then run init again',
    });
  });

  it('is followed by doctor, which names a permission that is missing too', async () => {
    expect(await init()).toMatchObject({ code: 0 });
    const doctor = async () => {
      const { stdout } = await runCli(['doctor', '--json'], { env, cwd: work.directory });
      const { details } = JSON.parse(stdout) as { details: { checks: Check[] } };
      return details.checks.filter(({ name }) => /GitHub|permission/.test(name));
    };
    const found = await doctor();
    expect([found.length, found.every(({ success }) => success)]).toEqual([8, true]);
    github.world.credentials.permit(token, 'statuses', null);
    expect((await doctor()).filter(({ success }) => !success)).toMatchObject([
      {
        name: 'permission statuses=write',
        hint: 'needed for commit statuses: give it to the token or the App',
      },
    ]);
  });

  it('says what to do about a wrong repository and about a revoked token, and writes nothing', async () => {
    const wrong = await init('themetalayer/other');
    expect(wrong).toMatchObject({ code: 1, outcome: 'failed' });
    expect(wrong.of('GitHub: themetalayer/other')).toMatchObject({ success: false });
    expect(wrong.of('GitHub')?.hint).toMatch(/GITHUB_REPOSITORY|access to the repository/);
    github.world.credentials.revoke(token);
    const revoked = await init();
    expect(revoked).toMatchObject({ code: 1, outcome: 'failed' });
    expect(revoked.of('GitHub')?.hint).toMatch(/put a valid token into GITHUB_TOKEN/);
    await expect(file()).rejects.toThrow(/ENOENT/);
    expect(changes()).toEqual([]);
  });

  it('knows the checks that a branch requires already', async () => {
    github.world.protection.set('main', { contexts: ['rehearse/prod', 'ci'], strict: false });
    const { of } = await init();
    expect(of('branch main')).toMatchObject({
      actual: 'requires ci, rehearse/prod',
      hint: 'proposed: require deploy/dev in the protection of main (Settings, Branches)',
    });
  });

  it('says in one line that GitHub does not answer', async () => {
    github.faults.plan({ fault: 'unavailable', method: 'GET', path: /hooks/, times: Infinity });
    const options = { env, cwd: work.directory };
    const ran = await runCli(['init', '--repo', github.world.fullName], options);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/GitHub.*(503|unavailable)/i);
  });

  it('writes what start reads: a variable that is set wins', async () => {
    await init();
    const home = { DEPLOYER_HOME: join(directory, 'home') };
    const ran = await runCli(['start'], { env: { ...home, GITHUB_REPOSITORY: 'nonsense' } });
    expect(ran.stderr).toContain('GITHUB_REPOSITORY: expected owner/name, got "nonsense"');
    await writeFile(join(directory, 'home', 'settings.env'), 'GITHUB_REPOSITORY=o/n\n');
    const fromFile = await runCli(['start'], { env: home });
    expect(fromFile).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('GITHUB_TOKEN is missing') as string,
    });
  });

  it('needs a repository and a token, and says so', async () => {
    const noRepository = await runCli(['init'], { env, cwd: directory });
    expect(noRepository).toMatchObject({ code: 2 });
    expect(noRepository.stderr).toContain('init needs --repo owner/name');
    const noToken = await runCli(['init', '--repo', 'o/n'], {
      env: { ...env, GITHUB_TOKEN: '' },
      cwd: directory,
    });
    expect(noToken).toMatchObject({ code: 2 });
    expect(noToken.stderr).toMatch(/GITHUB_TOKEN is missing/);
  });
});
