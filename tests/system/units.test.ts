import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DebianMachine } from './kit/machine.ts';
import { Server } from './kit/server.ts';

const DEV = 'http://127.0.0.1:8001';
/** Of `systemd-analyze security`. */
const MOST_EXPOSED = 2;

describe('the deployer as a unit', () => {
  let machine: DebianMachine;
  beforeAll(async () => {
    ({ machine } = await Server.installed());
    await live();
  });
  afterAll(() => machine.dispose());

  const status = async (url: string): Promise<string> =>
    (await machine.exec(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-m', '5', url])).stdout;
  const answers = (url: string) =>
    machine.waitFor(url, async () => ((await status(url)) === '200' ? true : undefined), 120_000);
  const live = () => answers('http://127.0.0.1:9000/readyz').then(() => answers(`${DEV}/`));
  const unit = async (name: string, property: string) =>
    machine.run(['systemctl', 'show', '--value', `--property=${property}`, name]);
  const kill = async (name: string) => machine.run(['kill', '-KILL', await unit(name, 'MainPID')]);
  const liveUnit = async (environment: string) => {
    const units = (await machine.read('/var/lib/deployer/units/live')).split('\n');
    return units.find((name) => name.startsWith(`datatracker@${environment}-`)) ?? '';
  };

  it('runs releases as the application, and itself not as root', async () => {
    const who = async (name: string) =>
      (await machine.run(['ps', '-o', 'user:20=', '-p', await unit(name, 'MainPID')])).trim();
    expect([await who('deployer'), await who(await liveUnit('dev'))]).toEqual(['deployer', 'datatracker']);
  });

  it('has no unit that is exposed, of all that install has put in place', async () => {
    const manifest = await machine.read('/etc/deployer/installed.json');
    const names = [...manifest.matchAll(/"\/etc\/systemd\/system\/([\w@-]+)\.service"/g)].map(
      ([, name]) => `${name?.replace(/@$/, '@x')}.service`,
    );
    expect(names.length).toBeGreaterThanOrEqual(6);
    names.push(await liveUnit('dev'), await liveUnit('prod'));
    const said = await machine.run(['systemd-analyze', 'security', '--no-pager', ...names]);
    const exposure = [...said.matchAll(/Overall exposure level for (\S+): ([\d.]+)/g)];
    expect(new Set(exposure.map(([, name]) => name))).toEqual(new Set(names));
    // Measured 1.3, 1.1, 1.1, 0.6, 0.4 and 0.4.
    expect(exposure.filter(([, , level]) => !(Number(level) <= MOST_EXPOSED)).map(([line]) => line)).toEqual(
      [],
    );
  });

  it('logs one JSON object a line with the deployment, and one line a deployment', async () => {
    const [, id] = /environment=dev kind=deploy outcome=deployed id=(\S+)/.exec(
      await machine.read('/var/log/datatracker/deployments.log'),
    ) ?? [''];
    const deployments = async () => {
      const lines = (await machine.journal('deployer')).split('\n').filter((line) => line.startsWith('{'));
      return lines.map((line) => (JSON.parse(line) as { deployment?: string }).deployment);
    };
    // The journal takes in what was said when it comes to it.
    await expect.poll(deployments).toContain(id);
  });

  it('is started again when it was killed, or hangs, and what is live does not notice', async () => {
    const before = await unit(await liveUnit('dev'), 'InvocationID');
    const killed = await unit('deployer', 'MainPID');
    await kill('deployer');
    expect(await status(`${DEV}/`)).toBe('200');
    // Its watchdog runs from READY on; before it a start may take longer. The one that was killed is active, too, until it is missed.
    await machine.waitFor('the next one to be ready', async () =>
      (await unit('deployer', 'MainPID')) !== killed && (await unit('deployer', 'ActiveState')) === 'active'
        ? true
        : undefined,
    );
    await live();
    const pid = await unit('deployer', 'MainPID');
    await machine.run(['kill', '-STOP', pid]);
    await machine.waitFor('the watchdog', async () =>
      (await unit('deployer', 'MainPID')) !== pid ? true : undefined,
    );
    await live();
    expect(await unit(await liveUnit('dev'), 'InvocationID')).toBe(before);
  });

  it('is not missed by an instance that crashes', async () => {
    await machine.run(['systemctl', 'stop', 'deployer']);
    // Nor is it started by root beside its service, whose home this is.
    expect((await machine.exec(['deployer', 'status'])).stderr).toContain('systemctl start deployer');
    expect(await machine.exec(['deployer', 'start'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('systemctl start deployer') as string,
    });
    const name = await liveUnit('dev');
    await kill(name);
    await machine.waitFor('the instance', async () =>
      (await unit(name, 'SubState')) === 'running' ? true : undefined,
    );
    const socket = `/run/datatracker/${name.slice('datatracker@'.length, -'.service'.length)}/http.sock`;
    const mode = () =>
      machine.exec(['curl', '-s', '--unix-socket', socket, 'http://localhost/_deploy/status']);
    await machine.waitFor('the answer', async () =>
      (await mode()).stdout.includes('"mode":false') ? true : undefined,
    );
    const again = await unit(name, 'InvocationID');
    await machine.run(['systemctl', 'start', 'deployer']);
    await live();
    expect(await unit(name, 'InvocationID')).toBe(again);
  });

  it('may be broken at a boot: what is live comes up without it', async () => {
    await machine.run(['systemctl', 'disable', 'deployer']);
    await machine.reboot();
    const name = await liveUnit('dev');
    expect([await unit('deployer', 'ActiveState'), await unit(name, 'ActiveState')]).toEqual([
      'inactive',
      'active',
    ]);
    const again = await unit(name, 'InvocationID');
    await machine.run(['systemctl', 'enable', '--now', 'deployer']);
    await live();
    expect(await unit(name, 'InvocationID')).toBe(again);
  });
});
