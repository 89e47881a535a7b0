import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { freePort, waitFor } from '../kit/daemon.ts';
import { Place } from '../kit/place.ts';
import { processesOf } from '../kit/program.ts';
import { behaviour, sampleFiles } from '../kit/repository.ts';

const kit = (name: string) => fileURLToPath(new URL(`../kit/${name}`, import.meta.url));

interface Page {
  version: string;
  commit: string;
  installed: string;
}

const page = async (port: number) => (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Page;

/** An application of its own, in its own home, with its repository there already. */
async function lay(directory: string, environments: object[]): Promise<Place> {
  const place = await Place.create({ home: (root) => join(root, 'state') });
  await cp(kit(directory), place.checkout.directory, { recursive: true });
  await place.checkout.commit('Environments', {
    ...Object.fromEntries(
      environments.map((file) => [`environments/${(file as { name: string }).name}.yaml`, stringify(file)]),
    ),
    'behaviour.json': JSON.stringify({ version: 'one' }),
  });
  await promisify(execFile)('git', ['init', '-q', '--bare', place.checkout.origin]);
  return place;
}

describe('an application in Python beside one in JavaScript', () => {
  let python: Place;
  let node: Place;
  const ports = { staging: 0, live: 0, dev: 0, prod: 0 };
  beforeAll(async () => {
    for (const name of ['staging', 'live', 'dev', 'prod'] as const) ports[name] = await freePort();
    const common = {
      commands: { install: 'python3 install.py', start: 'python3 serve.py' },
      boot: { timeout: '30s' },
      cutover: { hold: '20s', settle: '0s' },
    };
    python = await lay('python', [
      { name: 'staging', branch: 'stage', listen: `127.0.0.1:${ports.staging}`, ...common },
      {
        name: 'live',
        branch: 'release',
        listen: `127.0.0.1:${ports.live}`,
        requires: 'staging',
        ...common,
      },
    ]);
    await python.checkout.push('HEAD:refs/heads/stage', 'HEAD:refs/heads/release');
    node = await Place.create();
    await node.checkout.commit('Nothing', { '.gitignore': '.deployer/\n' });
    await sampleFiles(node.checkout, ports);
    python.start([]);
    node.start(['--demo']);
    await Promise.all([python.ready(), node.ready()]);
  });
  afterAll(async () => {
    await python.strike();
    await node.strike();
  });

  const push = async (wanted: object, patience = '30s') => {
    const file = join(python.checkout.directory, 'environments/staging.yaml');
    const commit = await python.checkout.commit(JSON.stringify(wanted), {
      'behaviour.json': JSON.stringify(wanted),
      'environments/staging.yaml': (await readFile(file, 'utf8')).replace(
        /timeout: \d+s/,
        `timeout: ${patience}`,
      ),
    });
    await python.checkout.push('HEAD:refs/heads/stage');
    return commit;
  };
  const ended = (environment: string, commit: string) =>
    waitFor(`${commit.slice(0, 8)} to end in ${environment}`, async () => {
      const { details } = await python.json('history', environment, '--limit', '1');
      const [newest] = details['deployments'] as { commit: string; outcome: string | null; cause: string }[];
      return newest?.commit === commit && newest.outcome ? newest : undefined;
    });

  it('is live in its own environments, with what its install command wrote', async () => {
    const commit = await python.checkout.git('rev-parse', 'HEAD');
    const expected = { version: 'one', commit, installed: 'for one' };
    expect([await page(ports.staging), await page(ports.live)]).toEqual([expected, expected]);
    expect((await page(ports.dev)).version).toBe('one');
    const { details } = await python.json('status');
    expect(details['environments']).toMatchObject([
      { name: 'live', live: { branch: 'release', tag: expect.stringMatching(/^v\d/) as string } },
      { name: 'staging', live: { branch: 'stage', tag: null } },
    ]);
  });

  it('has its writes kept by the front door alone: none is lost, and none reaches what is not live', async () => {
    const enough = new AbortController();
    const statuses: number[] = [];
    const visitor = (async () => {
      while (!enough.signal.aborted) {
        const body = String(statuses.length);
        const { status } = await fetch(`http://127.0.0.1:${ports.staging}/lines`, { method: 'POST', body });
        statuses.push(status);
      }
    })();
    const commit = await push({ version: 'two' });
    expect(await ended('staging', commit)).toMatchObject({ outcome: 'deployed' });
    enough.abort();
    await visitor;
    expect(new Set(statuses)).toEqual(new Set([201]));
    const lines = (await (await fetch(`http://127.0.0.1:${ports.staging}/lines`)).json()) as string[];
    expect(lines.map((line) => line.split(' ')[0])).toEqual(statuses.map((_, index) => String(index)));
    const writers = lines.map((line) => line.split(' by ')[1]);
    expect(writers).toEqual(writers.toSorted((a, b) => (a === b ? 0 : a === 'one' ? -1 : 1)));
    expect(new Set(writers)).toEqual(new Set(['one', 'two']));
    const mode = await fetch(`http://127.0.0.1:${ports.staging}/_deploy/mode`, { method: 'PUT', body: '{}' });
    expect(mode.status).toBe(404);
  });

  it.each([
    ['does not install', { install: 'fail' }, /python3 .*planted: it does not install/],
    ['crashes', { start: 'crash' }, /planted: crash at the start/],
    ['is not healthy', { health: 503 }, /not healthy within 3 s: GET \/_deploy\/health answered 503/],
  ])('keeps what is live when a commit %s', async (_how, more, cause) => {
    const before = await page(ports.staging);
    const commit = await push({ version: 'bad', ...more }, 'health' in more ? '3s' : undefined);
    expect(await ended('staging', commit)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringMatching(cause) as string,
    });
    expect(await page(ports.staging)).toEqual(before);
  });

  it('is promoted, verified by the service alone, and rolled back, with its files kept', async () => {
    const commit = await push({ version: 'three' });
    expect(await ended('staging', commit)).toMatchObject({ outcome: 'deployed' });
    expect(await python.json('promote', 'staging', 'live')).toMatchObject({ code: 0, outcome: 'deployed' });
    expect(await page(ports.live)).toMatchObject({ version: 'three', installed: 'for three' });
    expect(await python.json('verify', 'live')).toMatchObject({
      code: 0,
      details: { success: true, suites: [{ name: 'service', success: true }] },
    });
    await fetch(`http://127.0.0.1:${ports.live}/lines`, { method: 'POST', body: 'kept' });
    expect(await python.json('rollback', 'live')).toMatchObject({ code: 0, outcome: 'ok' });
    expect(await page(ports.live)).toMatchObject({ version: 'one', installed: 'for one' });
    expect(await (await fetch(`http://127.0.0.1:${ports.live}/lines`)).json()).toEqual(['kept by three']);
  });

  it('has no migrations, which is refused in one object', async () => {
    expect(await python.json('migrate', 'status', 'live')).toMatchObject({ code: 3, outcome: 'refused' });
  });

  it('goes its own way: the other one is deployed as before, and stays when this one stops', async () => {
    const commit = await node.checkout.commit('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    await node.checkout.push('HEAD:dev');
    await waitFor('it to be live', async () =>
      (await page(ports.dev)).commit === commit ? true : undefined,
    );
    await python.strike();
    expect(processesOf(python.root)).toEqual([]);
    expect((await page(ports.dev)).commit).toBe(commit);
  });
});

describe('an application in Perl', () => {
  it('of one file and four keys is deployed, and deployed again', async () => {
    const port = await freePort();
    const place = await lay('perl', [
      { name: 'only', branch: 'trunk', listen: `127.0.0.1:${port}`, commands: { start: 'perl serve.pl' } },
    ]);
    try {
      const first = await place.checkout.git('rev-parse', 'HEAD');
      await place.checkout.push('HEAD:refs/heads/trunk');
      place.start([]);
      await place.ready();
      const answer = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
      expect(await answer()).toBe(`perl ${first}`);
      const second = await place.checkout.commit('Again', { 'another.txt': '' });
      await place.checkout.push('HEAD:refs/heads/trunk');
      await waitFor('it to be live', async () => ((await answer()) === `perl ${second}` ? true : undefined));
    } finally {
      await place.strike();
    }
  });
});
