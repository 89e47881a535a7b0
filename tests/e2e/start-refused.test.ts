import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../kit/daemon.ts';
import { finished, Place } from '../kit/place.ts';
import { processesOf } from '../kit/program.ts';
import { smallFiles } from '../kit/small.ts';

/** Listens where the deployer wants to. */
async function occupy(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

describe('a start that cannot be', () => {
  let place: Place;
  let port: number;
  let other: Server | undefined;
  beforeAll(async () => {
    place = await Place.create();
    port = await freePort();
    await smallFiles(place.checkout, [
      { name: 'dev', branch: 'dev', port: await freePort() },
      { name: 'prod', branch: 'main', port, more: { requires: 'dev' } },
    ]);
  });
  afterEach(async () => {
    other?.close();
    other = undefined;
    await rm(place.home, { recursive: true, force: true });
  });
  afterAll(() => place.strike());

  const directory = (name: string) => join(place.root, name);

  interface How {
    args?: string[];
    cwd?: string;
    env?: NodeJS.ProcessEnv;
  }

  /** What a start came to, and what it left. */
  async function startOf(how: How = {}) {
    const ran = await finished(place.start(how.args ?? ['--demo'], how));
    return { ...ran, processes: processesOf(place.root), home: existsSync(place.home) };
  }

  /** One line on stderr with these words, exit 2, and nothing left behind. */
  const refusal = (...words: string[]) => ({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(`^deployer: .*${words.map((word) => RegExp.escape(word)).join('.*')}.*\n$`),
    ) as string,
    processes: [],
    home: false,
  });

  it('names a DEPLOYER_LISTEN that something else uses', async () => {
    other = await occupy(Number(place.listen.split(':')[1]));
    expect(await startOf()).toEqual(refusal(`DEPLOYER_LISTEN ${place.listen} is in use by another program`));
  });

  it("names a front door's address that something else uses, and raises no other", async () => {
    other = await occupy(port);
    expect(await startOf()).toEqual(
      refusal(`environments/prod.yaml: listen 127.0.0.1:${port} is in use by another program`),
    );
  });

  it('names an address that is not of this machine', async () => {
    const env = { DEPLOYER_LISTEN: '192.0.2.1:9000' };
    expect(await startOf({ env })).toEqual(refusal('DEPLOYER_LISTEN 192.0.2.1:9000'));
  });

  it.each([
    ['is a file', 'taken'],
    ['is below a file', 'taken/below/home'],
    ['is where no directory can be made', '../../../../../proc/nothing/home'],
  ])('names a home that %s', async (_how, path) => {
    const home = directory(path);
    await writeFile(directory('taken'), '');
    expect(await startOf({ env: { DEPLOYER_HOME: home } })).toEqual(
      refusal(`DEPLOYER_HOME ${home} cannot be written`),
    );
  });

  it.skipIf(process.getuid?.() === 0)('names a home that may not be written', async () => {
    const home = directory('closed');
    await mkdir(home);
    await chmod(home, 0o555);
    expect(await startOf({ env: { DEPLOYER_HOME: home } })).toEqual(
      refusal(`DEPLOYER_HOME ${home} cannot be written`),
    );
  });

  it.each([
    [
      'a secret is a directory',
      'admin-token',
      () => mkdir(directory('odd/admin-token'), { recursive: true }),
    ],
    [
      'the state is no database',
      'not a database',
      () => writeFile(directory('odd/state.sqlite'), 'x'.repeat(5000)),
    ],
    ['the logs are a file', 'logs', () => writeFile(directory('odd/logs'), '')],
  ])('names a home in which %s, and leaves what was there', async (_what, word, prepare) => {
    const home = directory('odd');
    await mkdir(home, { recursive: true });
    await prepare();
    expect(await startOf({ env: { DEPLOYER_HOME: home } })).toEqual(refusal(home, word));
    expect(readdirSync(home)).not.toContain('origin.git');
    await rm(home, { recursive: true });
  });

  it('says that git is missing', async () => {
    expect(await startOf({ env: { PATH: place.root } })).toEqual(refusal('git is missing'));
  });

  it('says that there is no git repository to start from', async () => {
    await mkdir(directory('bare'), { recursive: true });
    const env = { DEPLOYER_HOME: directory('bare/.deployer') };
    expect(await startOf({ cwd: directory('bare'), env })).toEqual(
      refusal(directory('bare'), 'is not the top of a git repository'),
    );
    expect(readdirSync(directory('bare'))).toEqual([]);
  });

  it('says that the checkout has no commit yet', async () => {
    const empty = await Place.create();
    expect(await startOf({ cwd: empty.checkout.directory })).toEqual(refusal('has no commit yet'));
    expect(readdirSync(empty.checkout.directory)).toEqual(['.git']);
    await empty.strike();
  });

  it('says in the home of `npx deployer start` that there is no repository', async () => {
    const words = `there is no repository at ${join(place.home, 'origin.git')}`;
    expect(await startOf({ args: [] })).toEqual(refusal(words));
  });

  it.each([
    ['DEPLOYER_LISTEN', 'everywhere'],
    ['DEPLOYER_RECONCILE_INTERVAL', '1.5'],
    ['DEPLOYER_DATABASE_URL', 'mysql://u:short-secret@h/d'],
    ['GITHUB_REPOSITORY', 'no-owner'],
  ])('names a malformed %s, and never a secret', async (name, value) => {
    expect(await startOf({ env: { [name]: value } })).toEqual(refusal(`${name}: `));
    const ran = await finished(place.start(['--json'], { env: { [name]: value } }));
    expect(JSON.parse(ran.stdout)).toMatchObject({
      success: false,
      outcome: 'failed',
      details: { cause: expect.stringContaining(name) as string },
    });
    expect(ran.stdout + ran.stderr).not.toContain('short-secret');
    expect(ran.code).toBe(2);
  });
});
