import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offerPackage } from './kit/debian-packages.ts';
import { DebianMachine } from './kit/machine.ts';
import { ORIGIN, publishProject } from './kit/project.ts';

/** What the scripts of packages make, and what this test has put there. */
const OF_OTHERS =
  /^(\/etc\/(sgml|xml)|\/usr\/local\/share\/(sgml|xml)|\/etc\/systemd\/.*\/logrotate\.timer|\/etc\/deployer(\/settings)?)[ /]/;
const CLONE = '/root/deployer';

interface Answer {
  outcome: string;
  details: {
    steps: { name: string; state: string; detail: string | null }[];
    lacking?: string | null;
    kept?: { path: string }[];
  };
}

describe('deployer install on a bare Debian', () => {
  let machine: DebianMachine;
  beforeAll(async () => {
    machine = await DebianMachine.boot();
    await publishProject(machine);
    await machine.shell('dpkg --purge --force-depends zstd 2>/dev/null');
    await offerPackage(machine, 'zstd');
    // Incomplete, so that nothing is started: what install does of itself is meant here.
    await machine.put('/etc/deployer/settings', 'GITHUB_REPOSITORY=themetalayer/datatracker\n');
    await machine.shell(
      `git clone -q ${ORIGIN} ${CLONE} && cd ${CLONE} && npm ci --omit=dev --ignore-scripts`,
    );
  });
  afterAll(() => machine.dispose());

  const deployer = async (...argv: string[]): Promise<Answer> => {
    const { stdout, stderr } = await machine.exec(['npx', 'deployer', ...argv, '--json'], { cwd: CLONE });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Answer;
  };
  /** Every file, link and directory where install might put one, with owner and mode; not what packages and the maintainer bring. */
  const tree = async () => {
    const places = '/etc /opt /usr/local $(ls -d /var/lib/deployer /var/log/datatracker 2>/dev/null || true)';
    const format = '-printf "%p %u:%g %m %l\\n"';
    const found = await machine.shell(
      `find ${places} -path '/var/lib/deployer/*' -prune -o ${format} | sort`,
    );
    const packaged = new Set((await machine.shell('cat /var/lib/dpkg/info/*.list')).split('\n'));
    return found
      .split('\n')
      .filter((line) => !OF_OTHERS.test(line) && !packaged.has(line.split(' ')[0] ?? ''))
      .join('\n');
  };
  let bare = '';

  it('prints its plan first, and does nothing', async () => {
    bare = await tree();
    const { outcome, details } = await deployer('install', '--dry-run');
    expect(outcome).toBe('ok');
    expect(details.steps.filter(({ state }) => state === 'planned').map(({ name }) => name)).toContain(
      'directory /var/lib/deployer, deployer:datatracker 0750',
    );
    expect(await tree()).toBe(bare);
  });

  it('does what the plan said, in its order', async () => {
    const planned = (await deployer('install', '--dry-run')).details.steps;
    const { outcome, details } = await deployer('install');
    expect(details.steps.filter(({ state }) => state !== 'done' && state !== 'unchanged')).toEqual([]);
    expect(await machine.run(['zstd', '--version'])).toContain('Zstandard');
    expect(outcome).toBe('ok');
    expect(details.lacking).toMatch(/^GITHUB_TOKEN is missing/);
    expect((await machine.exec(['systemctl', 'is-active', 'deployer'])).stdout).toBe('inactive\n');
    const done = details.steps.filter(({ state }) => state === 'done').map(({ name }) => name);
    expect(done).toEqual(planned.filter(({ state }) => state === 'planned').map(({ name }) => name));
  });

  it('changes nothing when it runs again, and says so, and what keeps the deployer from being started', async () => {
    const before = await tree();
    const { details } = await deployer('install');
    expect(details.steps.filter(({ state }) => state !== 'unchanged')).toEqual([]);
    expect(await tree()).toBe(before);
    expect(await machine.run(['npx', 'deployer', 'install'], { cwd: CLONE })).toMatch(
      /^\d+ things are as they should be, but the deployer was not started: .*\n.* GITHUB_TOKEN is missing.*\n.* \/etc\/deployer\/credentials\/github-token\n/,
    );
  });

  it('mends what somebody has changed, and nothing else', async () => {
    const before = await tree();
    await machine.shell(
      'chmod 777 /var/lib/deployer; rm /etc/logrotate.d/deployer; echo >> /usr/local/bin/deployer',
    );
    await machine.shell('echo DEPLOYER_RECONCILE_INTERVAL=7 >> /etc/deployer/settings');
    const { details } = await deployer('install');
    expect(details.steps.filter(({ state }) => state === 'done')).toEqual([
      {
        name: 'directory /var/lib/deployer, deployer:datatracker 0750',
        state: 'done',
        detail: 'its mode is 0777',
      },
      { name: 'file /usr/local/bin/deployer, root:root 0755', state: 'done', detail: 'its text is another' },
      { name: 'file /etc/logrotate.d/deployer, root:root 0644', state: 'done', detail: 'missing' },
    ]);
    expect(await tree()).toBe(before);
    expect(await machine.read('/etc/deployer/settings')).toContain('\nDEPLOYER_RECONCILE_INTERVAL=7\n');
  });

  it('stops at what fails, tells what was not done, and goes on from there', async () => {
    await machine.shell(
      'rm -r /etc/logrotate.d/deployer /usr/local/bin/deployer && mkdir /usr/local/bin/deployer',
    );
    const { outcome, details } = await deployer('install');
    expect(outcome).toBe('failed');
    expect(details.steps.filter(({ state }) => state !== 'unchanged').map(({ state }) => state)).toEqual([
      'failed',
      'not-done',
    ]);
    await machine.shell('rmdir /usr/local/bin/deployer');
    expect((await deployer('install')).outcome).toBe('ok');
  });

  it('tells who keeps Caddy from starting, and so does doctor', async () => {
    await machine.run(['systemctl', 'stop', 'caddy']);
    const listen = "require('node:net').createServer().listen(80)";
    await machine.run(['systemd-run', '--quiet', '--unit=other', 'node', '-e', listen]);
    await machine.waitFor('the other', async () =>
      (await machine.shell('ss -ltnH')).includes('*:80 ') ? true : undefined,
    );
    const why = expect.stringMatching(/:80: bind: address already in use \(ss -ltnp/) as string;
    const { details } = await deployer('install');
    expect(details.steps.find(({ state }) => state === 'failed')).toMatchObject({ detail: why });
    const checks = (await deployer('doctor')).details as unknown as { checks: { actual: string }[] };
    expect(checks.checks).toContainEqual(
      expect.objectContaining({ actual: why, hint: expect.stringContaining('journalctl -u caddy.service') }),
    );
    await machine.run(['systemctl', 'stop', 'other']);
    expect((await deployer('install')).outcome).toBe('ok');
  });

  it('is refused to a user, who may look at the plan', async () => {
    const asUser = (...argv: string[]) =>
      machine.exec(['/usr/local/bin/deployer', ...argv], { as: 'nobody', cwd: '/' });
    const refused = await asUser('install');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('install needs root');
    expect((await asUser('uninstall', '--dry-run')).stderr).not.toContain('needs root');
  });

  it('is taken away by uninstall, but for data and settings; purge leaves nothing', async () => {
    await machine.put('/var/lib/deployer/backups/precious', 'x');
    const { outcome, details } = await deployer('uninstall');
    expect([outcome, details.kept?.map(({ path }) => path)]).toEqual([
      'ok',
      [
        '/var/lib/deployer',
        '/var/log/datatracker',
        '/etc/deployer/credentials',
        '/etc/deployer/credentials.encrypted',
        'user datatracker',
        'user deployer-code',
        'user deployer',
      ],
    ]);
    expect(await machine.shell('cat /var/lib/deployer/backups/precious; ls /etc/deployer')).toContain(
      'settings',
    );
    expect((await machine.exec(['ls', '/opt/deployer'])).code).toBe(2);
    expect((await deployer('uninstall', '--purge')).outcome).toBe('ok');
    expect(await tree()).toBe(bare);
  });
});
