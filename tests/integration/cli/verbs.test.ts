import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Deployment, Outcome } from '../../../deployer/deployment/model.ts';
import { RefusedError } from '../../../deployer/problem.ts';
import { serveWeb } from '../web/serve.ts';
import type { Served } from '../web/serve.ts';
import { runCli } from './run-cli.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addEnvironment('dev');
  web.operations.addEnvironment('prod');
});
afterEach(() => web.close());

const answerSchema = z.strictObject({ success: z.boolean(), outcome: z.string(), details: z.unknown() });

/** Runs a verb with --json: stdout must be one object, whatever happens. */
async function json(...argv: string[]) {
  const ran = await runCli([...argv, '--json'], { web });
  expect(ran.stdout.endsWith('}\n')).toBe(true);
  return { ...ran, answer: answerSchema.parse(JSON.parse(ran.stdout)) };
}

/** Ends the deployment that a verb asks for, once the verb waits for it. */
async function finishWhenWaited(outcome: Outcome, cause: string | null = null): Promise<string> {
  await expect.poll(() => web.operations.listeners).toBe(1);
  const [id = ''] = [...web.operations.deploymentsById.keys()].slice(-1);
  web.operations.stage(id, 'fetch', 'done', 120);
  web.operations.stage(id, 'verify', outcome === 'rejected' ? 'failed' : 'done', 1500, cause);
  web.operations.finish(id, outcome, cause);
  return id;
}

describe('deploy', () => {
  it('answers ok with the id as soon as it is stored', async () => {
    const { code, answer } = await json('deploy', 'dev', '--branch', 'try-this');
    expect(code).toBe(0);
    expect(answer).toMatchObject({ success: true, outcome: 'ok', details: { id: 'd1', outcome: null } });
    expect(web.operations.asked[0]).toMatchObject({
      verb: 'deploy',
      with: { environment: 'dev', branch: 'try-this', by: expect.stringMatching(/^cli:\w/) },
    });
  });

  it.each<[Outcome, number]>([
    ['deployed', 0],
    ['ok', 0],
    ['rejected', 1],
    ['rolled_back', 1],
    ['failed', 1],
    ['refused', 3],
    ['superseded', 4],
    ['needs_attention', 5],
  ])('with --wait ends as %s with exit code %i', async (outcome, exitCode) => {
    const [ran] = await Promise.all([json('deploy', 'dev', '--wait'), finishWhenWaited(outcome, 'because')]);
    expect(ran.code).toBe(exitCode);
    expect(ran.answer).toMatchObject({
      success: exitCode === 0,
      outcome,
      details: { id: 'd1', outcome, cause: 'because' },
    });
    expect(ran.stderr).toContain('fetch');
  });

  it('passes a commit and an override with its reason', async () => {
    await json('deploy', 'dev', '--commit', 'abcd1234', '--override', '--reason', 'it burns');
    expect(web.operations.asked[0]).toMatchObject({
      with: { commit: 'abcd1234', override: true, reason: 'it burns' },
    });
  });

  it('tells people the outcome first, then cause, page and what next; progress is on stderr', async () => {
    const [ran] = await Promise.all([
      runCli(['deploy', 'dev', '--wait'], { web }),
      finishWhenWaited('rejected', 'routes: GET / was 500'),
    ]);
    expect(ran.stdout).toMatch(/^rejected {2}deploy of 1f2e3d4c to dev in 9\.0 s\n/);
    expect(ran.stdout).toContain('cause     routes: GET / was 500');
    expect(ran.stdout).toContain(`page      ${web.url}/deployments/d1`);
    expect(ran.stdout).toContain('npx deployer show d1');
    expect(ran.stderr).toMatch(/fetch +done +120 ms\n/);
    expect(ran.stderr).toMatch(/verify +failed +1\.5 s +routes: GET \/ was 500\n/);
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001B/);
  });

  it('shows the running stage in place on a terminal, in colours unless NO_COLOR', async () => {
    const run = async (env: NodeJS.ProcessEnv) => {
      const running = async () => {
        await expect.poll(() => web.operations.listeners).toBe(1);
        const [id = ''] = [...web.operations.deploymentsById.keys()].slice(-1);
        web.operations.stage(id, 'rehearse', 'running', null);
        return finishWhenWaited('deployed');
      };
      const [ran] = await Promise.all([
        runCli(['deploy', 'dev', '--wait'], { web, env, isTTY: true }),
        running(),
      ]);
      return ran;
    };
    const coloured = await run({});
    expect(coloured.stderr).toContain('\r\u001B[2K  rehearse');
    expect(coloured.stdout).toContain('\u001B[32mdeployed\u001B[39m');
    expect((await run({ NO_COLOR: '1' })).stdout).not.toContain('\u001B');
  });

  it('is refused with exit code 3 where a lock says no', async () => {
    web.operations.failure = new RefusedError('dev is locked by alice: release day');
    const { code, answer } = await json('deploy', 'dev', '--wait');
    expect(code).toBe(3);
    expect(answer).toMatchObject({
      success: false,
      outcome: 'refused',
      details: { cause: 'dev is locked by alice: release day' },
    });
  });
});

describe('promote, rollback', () => {
  it('promotes and waits for the outcome', async () => {
    const [ran] = await Promise.all([json('promote', 'dev', 'prod'), finishWhenWaited('deployed')]);
    expect(ran.answer).toMatchObject({
      success: true,
      outcome: 'deployed',
      details: { environment: 'prod' },
    });
    expect(web.operations.asked[0]).toMatchObject({ verb: 'promote', with: { from: 'dev', to: 'prod' } });
  });

  it.each<[string[], object]>([
    [[], { target: { last: true } }],
    [['--last'], { target: { last: true } }],
    [['--to-commit', 'abcd'], { target: { commit: 'abcd' } }],
    [['--to-version', 'v2026.11.20-2'], { target: { version: 'v2026.11.20-2' } }],
    [
      ['--restore-backup', '--reason', 'bad data'],
      { target: { last: true }, restoreBackup: true, reason: 'bad data' },
    ],
  ])('rolls back with %j', async (options, asked) => {
    const [ran] = await Promise.all([json('rollback', 'prod', ...options), finishWhenWaited('ok')]);
    expect(ran).toMatchObject({ code: 0, answer: { outcome: 'ok', details: { kind: 'rollback' } } });
    expect(web.operations.asked[0]).toMatchObject({ verb: 'rollback', with: asked });
  });
});

describe('verify', () => {
  const checks = [
    {
      name: 'GET /',
      success: false,
      expected: '200',
      actual: '500',
      hint: 'see the handler',
      location: 'app/a.ts:3',
    },
    { name: 'GET /x', success: true, expected: '200', actual: '200', hint: null, location: null },
  ];
  const suites = [{ name: 'routes', success: false, durationMs: 5, checks }];

  it('is ok when every suite is, and asks for the suites that are named', async () => {
    const { code, answer } = await json('verify', 'dev', '--suite', 'routes', '--suite', 'content');
    expect(code).toBe(0);
    expect(answer).toEqual({ success: true, outcome: 'ok', details: { success: true, suites: [] } });
    expect(web.operations.asked[0]).toMatchObject({ with: { suites: ['routes', 'content'] } });
  });

  it('fails with what was expected, what came, and where to look', async () => {
    web.operations.verification = { success: false, suites };
    const { code, answer } = await json('verify', 'dev');
    expect(code).toBe(1);
    expect(answer).toEqual({ success: false, outcome: 'failed', details: { success: false, suites } });
    const { stderr } = await runCli(['verify', 'dev'], { web });
    for (const said of ['1 of 2 failed', 'expected  200', 'actual    500', 'see the handler', 'app/a.ts:3']) {
      expect(stderr).toContain(said);
    }
  });
});

describe('status, history, show, logs', () => {
  const finished: Partial<Deployment> = {
    outcome: 'deployed',
    liveAt: '2026-11-20T12:00:05.000Z',
    tag: 'v2026.11.20',
  };

  it('tells every environment, or one', async () => {
    const live = web.operations.addDeployment({ id: 'd1', ...finished });
    web.operations.addEnvironment('prod', {
      live,
      running: { ...web.operations.addDeployment({ id: 'd2' }) },
      waiting: { ...web.operations.addDeployment({ id: 'd3', commit: 'cafecafecafe' }) },
      last: { ...live, outcome: 'rolled_back', cause: 'health was 503' },
      lock: { reason: 'release day', holder: 'bob', since: '2026-11-20T12:00:00.000Z' },
      quarantined: ['badbadbadbad'],
    });
    expect((await json('status')).answer).toMatchObject({
      outcome: 'ok',
      details: { environments: [{ name: 'dev' }, { name: 'prod' }] },
    });
    expect((await json('status', 'prod')).answer).toMatchObject({
      details: { name: 'prod', live: { id: 'd1' } },
    });
    const { stdout } = await runCli(['status'], { web });
    const [head = '', dev = '', prod = ''] = stdout.split('\n');
    expect(dev.indexOf('nothing')).toBe(head.indexOf('live'));
    expect(prod.indexOf('v2026.11.20')).toBe(head.indexOf('live'));
    for (const said of ['cafecafe waits', 'release day', 'health was 503', 'badbadba'])
      expect(stdout).toContain(said);
  });

  it('tells on stderr what an operator should know', async () => {
    web.operations.problemList = [
      'GitHub answered 401 (since noon). Mend: put a valid token into GITHUB_TOKEN',
    ];
    const { code, stderr, stdout } = await runCli(['status', '--json'], { web });
    expect(code).toBe(0);
    expect(stderr).toContain('problem: GitHub answered 401 (since noon)');
    expect(stdout).not.toContain('401');
  });

  it('lists the past of an environment, page by page', async () => {
    for (const id of ['d1', 'd2', 'd3']) web.operations.addDeployment({ id, ...finished });
    const { answer } = await json('history', 'dev', '--limit', '2');
    expect(answer).toMatchObject({ details: { deployments: [{ id: 'd3' }, { id: 'd2' }], next: '2' } });
    const { stdout } = await runCli(['history', 'dev', '--limit', '2'], { web });
    expect(stdout).toContain('more with --cursor 2');
    expect((await runCli(['history', 'prod'], { web })).stdout).toContain('no deployment yet');
    const trail = await json('history', 'dev', '--audit');
    expect(trail.answer.details).toMatchObject({ audit: [{ actor: expect.any(String) as string }] });
    expect(trail.answer.details).toMatchObject({ auditNext: '7' });
    const { stdout: shown } = await runCli(['history', 'dev', '--audit'], { web });
    expect(shown).toContain('who');
    expect(shown).toContain('more with --audit-cursor 7');
    const older = await json('history', 'dev', '--audit-cursor', '7');
    expect(older.answer.details).toMatchObject({ audit: [{ detail: 'the day before' }], auditNext: null });
    expect((await json('history', 'nope')).code).toBe(2);
  });

  it('shows one with stages, timings and failed checks; that it failed is no failure of show', async () => {
    const checks = [
      { name: 'GET /', success: false, expected: '200', actual: '500', hint: null, location: 'app/a.ts:3' },
    ];
    const suites = [{ name: 'routes', success: false, durationMs: 5, checks }];
    web.operations.addDeployment({ id: 'd1', suites });
    web.operations.stage('d1', 'rehearse', 'failed', 1234, 'routes failed');
    web.operations.finish('d1', 'rejected', 'routes: GET /');
    const { code, answer } = await json('show', 'd1');
    expect(code).toBe(0);
    expect(answer).toMatchObject({ outcome: 'ok', details: { id: 'd1', outcome: 'rejected', suites } });
    const { stdout } = await runCli(['show', 'd1'], { web });
    expect(stdout).toMatch(/^rejected/);
    expect(stdout).toMatch(/rehearse +failed +1\.2 s +routes failed/);
    expect(stdout).toContain('app/a.ts:3');
  });

  it('prints the log, and follows it', async () => {
    web.operations.addDeployment({ id: 'd1' });
    web.operations.addLine('d1', 'first');
    expect((await runCli(['logs', 'd1'], { web })).stdout).toBe('first\n');
    expect((await json('logs', 'd1')).answer).toMatchObject({ details: { id: 'd1', lines: ['first'] } });
    const following = json('logs', 'd1', '--follow');
    const reading = runCli(['logs', 'd1', '--follow'], { web });
    await expect.poll(() => web.operations.listeners).toBe(2);
    web.operations.addLine('d1', 'second');
    web.operations.finish('d1', 'deployed');
    expect((await reading).stdout).toBe('first\nsecond\n');
    const { answer, stderr } = await following;
    expect(answer).toMatchObject({ outcome: 'ok', details: { lines: ['first', 'second'] } });
    expect(stderr).toBe('first\nsecond\n');
  });

  it('never lets what strangers wrote steer the terminal', async () => {
    web.operations.addDeployment({ id: 'd1', cause: '\u001B[2Jgone\u0007', outcome: 'rejected' });
    web.operations.addLine('d1', '\u001B]0;owned\u0007line\u202E');
    const shown = await runCli(['show', 'd1'], { web });
    const logged = await runCli(['logs', 'd1'], { web });
    const followed = await runCli(['logs', 'd1', '--follow'], { web });
    for (const { stdout } of [shown, logged, followed]) {
      expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
    }
    expect(logged.stdout).toContain('line');
  });
});

describe('remove', () => {
  it('takes an environment away with a reason, which it asks for', async () => {
    expect((await json('remove', 'dev')).code).toBe(2);
    expect((await json('remove', 'dev', '--reason', 'merged')).answer).toMatchObject({
      outcome: 'ok',
      details: { name: 'dev', backup: null },
    });
    expect(web.operations.asked.at(-1)).toMatchObject({ verb: 'remove', with: { reason: 'merged' } });
    expect((await json('status', 'dev')).code).toBe(2);
  });
});

describe('lock, unlock', () => {
  it('locks with a reason, and unlocks', async () => {
    expect((await json('lock', 'dev', '--reason', 'release day')).answer).toMatchObject({
      outcome: 'ok',
      details: { name: 'dev', lock: { reason: 'release day' } },
    });
    expect(await json('lock', 'dev', '--reason', 'again')).toMatchObject({
      code: 3,
      answer: { outcome: 'refused' },
    });
    expect((await json('unlock', 'dev')).answer).toMatchObject({ details: { lock: null } });
    expect((await runCli(['unlock', 'dev'], { web })).stdout).toBe('unlocked  dev\n');
  });

  it('does not lock without a reason', async () => {
    expect((await json('lock', 'dev')).code).toBe(2);
    expect(web.operations.asked).toEqual([]);
  });
});

describe('migrate', () => {
  it('tells applied and pending migrations', async () => {
    expect((await json('migrate', 'status', 'dev')).answer).toMatchObject({
      outcome: 'ok',
      details: { success: true, applied: ['001_first'], pending: ['002_second'], ran: [], error: null },
    });
    expect((await runCli(['migrate', 'status', 'dev'], { web })).stdout).toContain('pending  002_second');
  });

  it('rehearses, and tells what a rehearsal came to in the shape of the program', async () => {
    const [good] = await Promise.all([json('migrate', 'rehearse', 'dev'), finishWhenWaited('ok')]);
    expect(good).toMatchObject({
      code: 0,
      answer: { details: { success: true, deployment: { kind: 'rehearsal' } } },
    });
    const [bad] = await Promise.all([
      json('migrate', 'rehearse', 'dev'),
      finishWhenWaited('failed', 'down loses rows'),
    ]);
    expect(bad).toMatchObject({
      code: 1,
      answer: { details: { success: false, error: { migration: null, message: 'down loses rows' } } },
    });
  });
});

describe('backup', () => {
  it('creates and lists', async () => {
    expect((await runCli(['backup', 'list', 'dev'], { web })).stdout).toBe('no backup yet\n');
    expect((await json('backup', 'create', 'dev')).answer).toMatchObject({ details: { kind: 'manual' } });
    expect((await json('backup', 'list', 'dev')).answer).toMatchObject({
      details: { backups: [{ id: '2026-11-20_12-00-00' }] },
    });
    expect((await runCli(['backup', 'list', 'dev'], { web })).stdout).toContain(
      '2026-11-20_12-00-00  manual',
    );
    expect((await runCli(['backup', 'create', 'dev'], { web })).stdout).toContain('verified 2026');
  });
});
