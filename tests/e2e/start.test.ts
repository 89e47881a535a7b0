import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, waitFor } from '../kit/daemon.ts';
import { finished, Place } from '../kit/place.ts';
import { processesOf, type Program } from '../kit/program.ts';
import { behaviour, sampleFiles } from '../kit/repository.ts';

interface Home {
  version: string;
  commit: string;
  deployment: string;
}

describe('npm start', () => {
  let place: Place;
  let ports: { dev: number; prod: number };
  let daemon: Program;
  beforeAll(async () => {
    place = await Place.create();
    ports = { dev: await freePort(), prod: await freePort() };
    await place.checkout.commit('Nothing', { '.gitignore': '.deployer/\n' });
    await sampleFiles(place.checkout, ports);
    daemon = place.start(['--demo']);
  });
  afterAll(() => place.strike());

  const home = async (port: number) => (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Home;
  const notes = async (port: number) => (await fetch(`http://127.0.0.1:${port}/notes`)).json();
  const history = async () => (await place.json('history', 'dev')).details['deployments'];
  const live = (port: number, commit: string) =>
    waitFor(
      `${commit.slice(0, 8)} to be live`,
      async () => (await home(port)).commit === commit || undefined,
    );

  it('is ready once every environment is live', async () => {
    await place.ready();
    const commit = await place.checkout.git('rev-parse', 'HEAD');
    expect(await home(ports.dev)).toMatchObject({ version: 'one', commit });
    expect(await home(ports.prod)).toMatchObject({ version: 'one', commit });
  });

  it('prints the three addresses and the next thing to try, and nothing on stderr', async () => {
    await daemon.says('rollback prod');
    for (const line of [
      'Everything is live.',
      `  dev        http://127.0.0.1:${ports.dev}/`,
      `  prod       http://127.0.0.1:${ports.prod}/`,
      `  deployer   ${place.url}/`,
      '  git push .deployer/origin.git HEAD:dev',
      '  npx deployer promote dev prod',
    ])
      expect(daemon.stdout.split('\n')).toContain(line);
    expect(daemon.stderr).toBe('');
  });

  it('brings a push live, of which the push tells', async () => {
    const commit = await place.checkout.commit('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    const pushed = await finished(place.run(['git', 'push', '.deployer/origin.git', 'HEAD:dev']));
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toMatch(`remote: deployer: dev → ${place.url}/`);
    await live(ports.dev, commit);
    expect((await home(ports.prod)).version).toBe('one');
  });

  it('ends by Ctrl-C with everything that belongs to this home, and exits 0', async () => {
    await fetch(`http://127.0.0.1:${ports.dev}/notes`, { method: 'POST', body: 'kept' });
    expect(place.serving().length).toBeGreaterThanOrEqual(4);
    daemon.signalGroup('SIGINT');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(place.root)).toEqual([]);
    expect(daemon.stderr).toBe('');
  });

  it('says to who pushes while it is stopped that this will be seen later', async () => {
    const { stderr, code } = await finished(
      place.run(['git', 'push', '.deployer/origin.git', 'HEAD:refs/heads/idea']),
    );
    expect(code).toBe(0);
    expect(stderr).toContain(
      'remote: deployer: idea is stored; the deployer does not answer and will see it when it runs',
    );
  });

  it('picks up where it was: the same deployments and data, and nothing is deployed again', async () => {
    daemon = place.start(['--demo']);
    await daemon.says('Everything is live.');
    const { deployment } = await home(ports.dev);
    expect(await history()).toMatchObject([{ id: deployment }, { outcome: 'deployed' }]);
    expect(await home(ports.dev)).toMatchObject({ version: 'two' });
    expect(await notes(ports.dev)).toMatchObject([{ text: 'kept' }]);
  });

  it('finds the same processes after a SIGKILL, which served on, and deploys what was pushed meanwhile', async () => {
    await daemon.says('rollback prod');
    const before = place.serving();
    daemon.signal('SIGKILL');
    await daemon.ended;
    const commit = await place.checkout.commit('Three', {
      'behaviour.json': behaviour({ version: 'three' }),
    });
    const push = await finished(place.run(['git', 'push', '.deployer/origin.git', 'HEAD:dev']));
    expect(push.stderr).toContain('dev is stored; the deployer does not answer');
    expect(await home(ports.dev)).toMatchObject({ version: 'two' });
    expect(await home(ports.prod)).toMatchObject({ version: 'one' });
    expect(place.serving()).toEqual(before);
    daemon = place.start(['--demo']);
    await live(ports.dev, commit);
    const stays = before.filter(({ command }) => command.includes('front-door'));
    expect(stays).toHaveLength(2);
    expect(place.serving()).toEqual(expect.arrayContaining(stays));
    expect(await notes(ports.dev)).toMatchObject([{ text: 'kept' }]);
  });

  it('is refused to a second deployer in the same home, which names the first', async () => {
    const other = await finished(
      place.start(['--demo'], { env: { DEPLOYER_LISTEN: `127.0.0.1:${await freePort()}` } }),
    );
    expect(other).toEqual({
      code: 2,
      stdout: '',
      stderr: `deployer: DEPLOYER_HOME ${place.home} is in use by another deployer (process ${daemon.pid})\n`,
    });
    expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
  });

  it('ends by SIGTERM too, with what an earlier deployer had started', async () => {
    daemon.signal('SIGTERM');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(place.root)).toEqual([]);
  });
});
