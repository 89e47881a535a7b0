import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneProject } from '../kit/clone.ts';
import { freePort } from '../kit/daemon.ts';
import { Place } from '../kit/place.ts';
import { processesOf, type Program } from '../kit/program.ts';

describe('a clone of this project', () => {
  let place: Place;
  let ports: { dev: number; prod: number };
  let commit: string;
  let npm: Program;
  beforeAll(async () => {
    place = await Place.create();
    ports = { dev: await freePort(), prod: await freePort() };
    commit = await cloneProject(place.checkout, ports);
  });
  afterAll(() => place.strike());

  it('needs nothing but `npm start` for the datatracker to be live in both environments', async () => {
    npm = place.run(['npm', 'start']);
    await npm.says('rollback prod');
    expect(npm.stdout).toContain('Everything is live.');
    expect((await fetch(`${place.url}/readyz`)).status).toBe(200);
    for (const [environment, branch] of [
      ['dev', 'dev'],
      ['prod', 'main'],
    ] as const) {
      const site = `http://127.0.0.1:${ports[environment]}`;
      expect(await (await fetch(`${site}/_deploy/status`)).json()).toMatchObject({
        environment,
        git_branch: branch,
        git_commit: commit,
        service_status: expect.any(String) as string,
      });
      expect((await fetch(`${site}/doc/all/`)).status).toBe(200);
    }
  });

  it('has no suite of another name: asking for it is wrong usage, which lists those that there are', async () => {
    const asked = await place.json('verify', 'prod', '--suite', 'nope');
    expect(asked).toMatchObject({ code: 2, success: false });
    expect(JSON.stringify(asked.details)).toContain('prod has no suite nope; it has service, routes');
  });

  it('is verified there by its own suites, as `npx deployer` tells', async () => {
    const { details } = await place.json('status', 'prod');
    const live = details['live'] as { suites: { name: string; success: boolean }[] };
    expect(live.suites.map(({ name, success }) => `${name} ${success}`).toSorted()).toEqual([
      'content true',
      'database true',
      'integrity true',
      'regressions true',
      'routes true',
      'service true',
    ]);
  });

  it('is stopped wholly by Ctrl-C, which the terminal sends to npm and to the deployer', async () => {
    npm.signalGroup('SIGINT');
    expect(await npm.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(place.root)).toEqual([]);
    expect(npm.stderr.split('\n').filter((line) => !/^npm (warn|notice)/.test(line))).toEqual(['']);
  });

  it('picks up at the next `npm start`, and is stopped by a SIGTERM that only npm gets', async () => {
    npm = place.run(['npm', 'start']);
    await npm.says('Everything is live.');
    const { details } = await place.json('history', 'prod');
    expect(details['deployments']).toHaveLength(1);
    expect((await fetch(`http://127.0.0.1:${ports.prod}/doc/all/`)).status).toBe(200);
    npm.signal('SIGTERM');
    expect(await npm.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(place.root)).toEqual([]);
  });
});
