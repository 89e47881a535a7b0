import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../deployer/cli/client.ts';
import { lasting } from '../../../deployer/cli/wait.ts';
import { TOKEN, serveWeb } from '../web/serve.ts';
import type { Served } from '../web/serve.ts';
import { runCli } from './run-cli.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addEnvironment('dev');
});
afterEach(() => web.close());

/** Another program on the daemon's address. */
async function serveOther(listener: RequestListener): Promise<{ port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
}

describe('wrong usage', () => {
  it.each([
    [['depoly', 'dev'], 'did you mean deploy?'],
    [['frobnicate'], 'there is no verb frobnicate'],
    [['backup', 'craete', 'dev'], 'did you mean backup create?'],
    [['backup'], 'create, list'],
    [['deploy'], 'needs ENV'],
    [['promote', 'dev'], 'needs TO'],
    [['status', 'dev', 'prod'], 'does not take "prod"'],
    [['deploy', 'dev', '--brnch', 'x'], 'did you mean --branch?'],
    [['deploy', 'dev', '--qqqqqq'], 'no option --qqqqqq'],
    [['deploy', 'dev', '--branch'], '--branch'],
    [['deploy', 'dev', '--wait=yes'], '--wait'],
    [['deploy', 'dev', '--branch', 'a', '--commit', 'b'], 'only one of'],
    [['deploy', 'dev', '--override'], '--reason'],
    [['rollback', 'dev', '--last', '--to-commit', 'abcd'], 'only one of'],
    [['deploy', 'nope'], 'there is no environment nope'],
    [['show', 'nope'], 'there is no deployment nope'],
    [['show', '../environments'], 'no deployment'],
    [['history', 'dev', '--limit', 'many'], 'limit'],
    [[], 'a verb is missing'],
  ])('%j says so in one object, and ends with exit code 2', async (argv, cause) => {
    const ran = await runCli([...argv, '--json'], { web });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      success: false,
      outcome: 'failed',
      details: { cause: expect.stringContaining(cause), where: expect.any(String), next: expect.any(String) },
    });
    const told = await runCli(argv, { web });
    expect(told).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(cause) });
  });

  it('shows the usage of the verb', async () => {
    expect((await runCli(['promote', 'dev'])).stderr).toContain(
      'npx deployer promote FROM TO [--override] [--reason R]',
    );
  });
});

describe('a daemon that does not answer as it should', () => {
  it('is told with its address and what next', async () => {
    await web.close();
    const ran = await runCli(['status', '--json'], { web });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      success: false,
      outcome: 'failed',
      details: { cause: expect.stringContaining('does not answer'), where: web.url },
    });
    web = await serveWeb();
  });

  it.each<[string, RequestListener, string]>([
    ['another program', (_request, response) => void response.end('<h1>hello</h1>'), 'not one of a deployer'],
    ['a gateway', (_request, response) => void response.writeHead(502).end('bad'), 'HTTP 502'],
    ['one that hangs up', (request) => void request.socket.destroy(), 'does not answer'],
  ])('is recognised when it is %s', async (_name, listener, cause) => {
    const ran = await runCli(['status', '--json'], { web: await serveOther(listener) });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(cause);
  });

  it('that is being started again keeps whoever waits for an outcome waiting', async () => {
    const starting = {
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: 'it is starting',
    };
    let asked = 0;
    const { port } = await serveOther((_request, response) => {
      asked += 1;
      if (asked === 1) response.writeHead(503).end(JSON.stringify(starting));
      else response.end('event: end\ndata: ok\n\n');
    });
    const { signal } = new AbortController();
    const url = `http://127.0.0.1:${port}`;
    const client = createClient({ url, token: null, tokenFile: '', by: 'cli:alice', start: '' }, signal);
    const events = await Array.fromAsync(lasting(client, '/api/deployments/x', { signal }));
    expect(events).toEqual([{ event: 'end', id: null, data: 'ok' }]);
    expect(asked).toBe(2);
  });

  it('that is lost before it answers a change is not said to have done nothing', async () => {
    const lost = await serveOther((request) => request.resume().on('end', () => request.socket.destroy()));
    const ran = await runCli(['rollback', 'dev', '--json'], { web: lost });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'failed',
      details: {
        cause: expect.stringContaining('it may do what it was asked for'),
        next: 'npx deployer status',
      },
    });
  });

  it('tells a failure with the daemon’s sentence', async () => {
    web.operations.failure = new Error('inside');
    const ran = await runCli(['backup', 'create', 'dev', '--json'], { web });
    expect(ran.code).toBe(1);
    expect(ran.stdout).not.toContain('inside');
    expect(ran.stdout).toContain('an unexpected error');
  });
});

describe('the token', () => {
  const noToken = { DEPLOYER_ADMIN_TOKEN: '' };

  it('is not needed to read here, and missed before anything is asked', async () => {
    expect((await runCli(['status'], { web, env: noToken })).code).toBe(0);
    const env = { ...noToken, DEPLOYER_HOME: '/nowhere' };
    const ran = await runCli(['deploy', 'dev', '--json'], { web, env });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('/nowhere/admin-token');
  });

  it('is not accepted when it is another, and never echoed', async () => {
    const env = { DEPLOYER_ADMIN_TOKEN: 'some-other-token-of-somebody' };
    const ran = await runCli(['deploy', 'dev', '--json'], { web, env });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('does not accept this admin token');
    expect(ran.stdout).not.toContain('some-other-token');
    expect(web.operations.asked).toEqual([]);
  });

  it('comes from the home that is named, or that of the present directory', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'cli-'));
    onTestFinished(() => rm(cwd, { recursive: true }));
    for (const home of ['.deployer', 'other']) {
      await mkdir(join(cwd, home));
      await writeFile(join(cwd, home, 'admin-token'), `${TOKEN}\n`);
      const env = { ...noToken, ...(home === 'other' && { DEPLOYER_HOME: home }) };
      expect((await runCli(['deploy', 'dev'], { web, env, cwd })).code).toBe(0);
      await rm(join(cwd, home), { recursive: true });
    }
  });

  it('is a setting error when its file is no file', async () => {
    const home = await mkdtemp(join(tmpdir(), 'cli-'));
    onTestFinished(() => rm(home, { recursive: true }));
    await mkdir(join(home, 'admin-token'));
    const ran = await runCli(['status'], { web, env: { ...noToken, DEPLOYER_HOME: home } });
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('EISDIR') });
  });
});

describe('the address', () => {
  it('is the public one where only that is set, else the one that is listened on', async () => {
    const only = { DEPLOYER_LISTEN: '', DEPLOYER_URL: web.url };
    expect((await runCli(['status'], { web, env: only })).code).toBe(0);
    const both = { DEPLOYER_URL: 'https://unreachable.invalid' };
    expect((await runCli(['status'], { web, env: both })).code).toBe(0);
    const everywhere = { DEPLOYER_LISTEN: `0.0.0.0:${web.port}` };
    expect((await runCli(['status'], { web, env: everywhere })).code).toBe(0);
  });

  it('is the near one on the machine of the deployer, also where its public one is still exported', async () => {
    const home = await mkdtemp(join(tmpdir(), 'cli-'));
    onTestFinished(() => rm(home, { recursive: true }));
    const url = 'https://unreachable.invalid';
    const env = { DEPLOYER_HOME: home, DEPLOYER_LISTEN: '', DEPLOYER_URL: url };
    expect((await runCli(['status'], { web, env })).stderr).toContain(url);
    await writeFile(join(home, 'settings.env'), `DEPLOYER_URL=${url}\n`);
    expect((await runCli(['status'], { web, env })).stderr).not.toContain(url);
  });

  it('is wrong usage when it is malformed; what only the daemon needs is not asked for', async () => {
    const ran = await runCli(['status', '--json'], { env: { DEPLOYER_LISTEN: 'everywhere' } });
    expect(ran).toMatchObject({ code: 2, stdout: expect.stringContaining('DEPLOYER_LISTEN') });
    expect((await runCli(['status'], { web, env: { GITHUB_REPOSITORY: 'owner/name' } })).code).toBe(0);
  });
});

describe('waiting', () => {
  it('goes on when the daemon was restarted in the middle', async () => {
    const waiting = runCli(['deploy', 'dev', '--wait', '--json'], { web });
    await expect.poll(() => web.operations.listeners).toBe(1);
    const { port, operations } = web;
    await web.close();
    operations.finish('d1', 'deployed');
    web = await serveWeb({ port, operations });
    expect(await waiting).toMatchObject({ code: 0, stdout: expect.stringContaining('"outcome":"deployed"') });
  });

  it('tells no line of a followed log twice when the daemon was restarted', async () => {
    web.operations.addDeployment({ id: 'd1' });
    web.operations.addLine('d1', 'first');
    let isSeen = () => {};
    const seen = new Promise<void>((resolve) => (isSeen = resolve));
    const waiting = runCli(['logs', 'd1', '--follow'], { web, onOutput: () => isSeen() });
    await seen;
    const { port, operations } = web;
    await web.close();
    operations.addLine('d1', 'second');
    operations.finish('d1', 'deployed');
    web = await serveWeb({ port, operations });
    expect((await waiting).stdout).toBe('first\nsecond\n');
  });

  it('ends when it is interrupted, and says that the deployment goes on', async () => {
    const interrupt = new AbortController();
    const waiting = runCli(['deploy', 'dev', '--wait', '--json'], { web, signal: interrupt.signal });
    await expect.poll(() => web.operations.listeners).toBe(1);
    interrupt.abort();
    const ran = await waiting;
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'failed',
      details: { cause: expect.stringContaining('interrupted') },
    });
    await expect.poll(() => web.operations.listeners).toBe(0);
  });
});

describe('help', () => {
  it.each([
    [['--help'], 'npx deployer VERB'],
    [['help'], 'npx deployer VERB'],
    [['-h'], 'npx deployer VERB'],
    [['help', 'deploy'], '--branch B'],
    [['deploy', '--help'], '--branch B'],
    [['help', 'backup', 'list'], 'npx deployer backup list ENV'],
    [['--version'], '.'],
  ])('%j tells it on stdout', async (argv, said) => {
    const ran = await runCli(argv);
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(said) });
    expect(JSON.parse((await runCli([...argv, '--json'])).stdout)).toMatchObject({
      success: true,
      outcome: 'ok',
    });
  });
});
