import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migration } from './kit/migration.ts';
import { REGISTRY_PORT } from './kit/packages.ts';
import { Server } from './kit/server.ts';

/** `npm run seed -- prod --yes-really`, where the deployer's code is. */
const SEED =
  'cd /opt/deployer/current && DEPLOYER_HOME=/var/lib/deployer runuser -u deployer -- node_modules/node-linux-*/bin/node app/seed.ts prod --yes-really';

/** What the application keeps beside its database. */
const FILES = '/var/lib/deployer/files/prod';
const FILE_SUMS = `cd ${FILES} && find . -type f -exec sha256sum {} + | sort`;

/** What of ours is anywhere, but for the maintainer's clone and copies, and the journal. */
const LEFT = `find / \\( -path /proc -o -path /sys -o -path /root -o -path /srv -o -path /var/log/journal -o -path /usr/lib -o -path /usr/share \\) -prune -o \\
  \\( -iname '*deployer*' -o -iname '*datatracker*' -o -nouser -o -nogroup \\) -print`;

/** Where Caddy dials for writes. */
const WRITES = '/var/lib/deployer/run/dev/write.sock';

describe('a bare Debian, after the README’s commands', () => {
  let server: Server;
  const dispose = () => (server as Server | undefined)?.machine.dispose();
  beforeAll(async () => {
    server = await Server.installed();
  });
  afterAll(dispose);

  it('serves both environments, and doctor finds nothing to mend', async () => {
    expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('has no door on loopback but those of the deployer and of the environments, and Caddy is told by root alone', async () => {
    const { machine } = server;
    const open = await machine.shell("ss -ltnH | awk '{ print $4 }' | grep -v :22$ | sort");
    const registry = `127.0.0.1:${REGISTRY_PORT}`;
    expect(open.split('\n')).toEqual(
      ['*:80', '127.0.0.1:8000', '127.0.0.1:8001', '127.0.0.1:9000', registry].sort(),
    );
    const ask = ['curl', '-s', '--unix-socket', '/run/caddy/admin.sock', 'http://caddy/config/'];
    expect((await machine.exec(ask)).code).toBe(0);
    for (const user of ['datatracker', 'deployer', 'nobody'])
      expect((await machine.exec(ask, { as: user, cwd: '/' })).code).toBe(7);
  });

  it('gets back its data and files from backups alone after the machine was lost', async () => {
    const { machine } = server;
    await machine.shell(SEED);
    expect(await server.page('prod', '/doc/all/')).toContain('40 documents');
    // An upload is what an instance writes: its user's, and nobody else's but the group's.
    await machine.shell(`install -d -o datatracker -g datatracker -m 0750 ${FILES}/ours &&
      head -c 3000000 /dev/urandom | install -o datatracker -g datatracker -m 0640 /dev/stdin ${FILES}/ours/upload`);
    const files = await machine.shell(FILE_SUMS);
    // The one that is made at the very beginning is from before; without it the next is due.
    await machine.shell('rm -rf /var/lib/deployer/backups/prod && systemctl restart deployer');
    const full = await machine.waitFor('a full backup', async () => server.fullBackup('prod'), 150_000);
    await machine.shell('mkdir -p /srv/elsewhere && cp -a /var/lib/deployer/backups/prod /srv/elsewhere/');
    await machine.run(['deployer', 'uninstall', '--purge']);
    expect(await machine.shell(LEFT)).toBe('');
    expect(
      (await machine.exec(['getent', 'passwd', 'deployer', 'deployer-code', 'datatracker'])).stdout,
    ).toBe('');

    await server.install();
    await server.live();
    expect(await server.page('prod', '/doc/all/')).not.toContain('40 documents');
    expect(await machine.shell(FILE_SUMS)).not.toBe(files);
    await machine.shell('cp -a /srv/elsewhere/prod /var/lib/deployer/backups/');
    await machine.shell('chown -R deployer:datatracker /var/lib/deployer/backups');
    expect(await server.deployer('backup', 'restore', 'prod', full)).toMatchObject({
      outcome: 'ok',
      details: { cause: expect.stringContaining(`restored backup ${full}`) },
    });
    expect(await server.page('prod', '/doc/all/')).toContain('40 documents');
    expect(await machine.shell(FILE_SUMS)).toBe(files);
    expect((await server.deployer('verify', 'prod')).outcome).toBe('ok');
  });

  it('finds its data again, and brings it live, after uninstall and install', async () => {
    const { machine } = server;
    const files = await machine.shell(FILE_SUMS);
    await machine.run(['deployer', 'uninstall']);
    expect(
      await machine.shell(
        `${LEFT} | grep -v -e ^/var/lib/deployer -e ^/etc/deployer -e ^/var/log/datatracker || true`,
      ),
    ).toBe('');
    expect((await machine.exec(['curl', '-s', 'http://127.0.0.1:8000/'])).code).toBe(7);
    await machine.run(['npx', 'deployer', 'install'], { cwd: '/root/deployer' });
    await server.serves('prod');
    await server.live();
    expect(await server.page('prod', '/doc/all/')).toContain('40 documents');
    expect(await machine.shell(FILE_SUMS)).toBe(files);
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('deploys a push', async () => {
    const commit = await server.push('echo >> README.md');
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
  });

  it('rejects a release that does not start, and goes on serving', async () => {
    const commit = await server.push("sed -i '1i throw new Error();' app/server.ts");
    expect(await server.ended(commit)).toMatchObject({ outcome: 'rejected' });
    expect(await server.visit('dev')).toBe(200);
    await server.push('git revert -n HEAD');
    await server.live();
  });

  it('migrates, and goes back', async () => {
    const commit = await server.push(migration('20991231000000_one', 0));
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
    expect((await server.deployer('rollback', 'dev')).outcome).toBe('ok');
    expect(await server.visit('dev')).toBe(200);
    await server.push('echo >> README.md');
    await server.live();
  });

  it.each([
    ['deployer', 'deployer.service'],
    ['Caddy', 'caddy.service'],
    ['every instance', 'datatracker@*.service'],
  ])('survives a kill of %s', async (_, unit) => {
    await server.machine.run(['systemctl', 'kill', '--signal=KILL', unit]);
    await server.serves('dev');
    await server.serves('prod');
    await server.live();
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('survives that what it asks and tells ends in the middle of a hold: D-Bus, polkit, logind, the journal; and systemd begins anew', async () => {
    const commit = await server.push(migration('20991231000003_asked', 2500));
    await server.reaches(commit, 'migrate');
    await server.machine.run(['systemctl', 'daemon-reexec']);
    const asked = ['dbus', 'polkit', 'systemd-logind', 'systemd-journald'].map((name) => `${name}.service`);
    await server.machine.run(['systemctl', 'kill', '--signal=KILL', ...asked]);
    expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
    expect(['deployed', 'rejected']).toContain((await server.ended(commit)).outcome);
    await server.live();
    const next = await server.push('echo >> README.md');
    expect(await server.ended(next)).toEqual({ outcome: 'deployed', cause: null });
    const tree = await server.machine.run(['git', '-C', '/root/deployer', 'rev-parse', 'HEAD^{tree}']);
    // The journal takes in what was said when it comes to it.
    await expect
      .poll(() => server.machine.journal('deployer'))
      .toContain(`release ${tree.slice(0, 8)} built`);
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('survives a kill of the sluice in the middle of a hold', async () => {
    const commit = await server.push(migration('20991231000001_sluice', 4000));
    await server.reaches(commit, 'migrate');
    await server.machine.run(['pkill', '-KILL', '-f', 'host/sluice/main.ts']);
    // Until the deployer has seen it, a write is answered 503 and was not executed.
    await server.machine.waitFor(
      'the writes to reach the application',
      async () => (await server.visit('dev', '/doc/', ['-X', 'POST'])) < 500 || undefined,
    );
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('is back by itself after a reboot', async () => {
    await server.machine.reboot();
    await server.serves('dev');
    await server.serves('prod');
    await server.live();
    expect(await server.machine.run(['systemctl', '--failed', '--plain', '--no-legend'])).toBe('');
  });

  it('serves what is live after a reboot even when the deployer cannot start', async () => {
    await server.machine.shell('echo DEPLOYER_LISTEN=nonsense >> /etc/deployer/settings');
    await server.machine.reboot();
    await server.serves('dev');
    await server.serves('prod');
    expect(await server.problems()).toContainEqual(
      expect.objectContaining({ name: 'settings', actual: expect.stringContaining('DEPLOYER_LISTEN') }),
    );
    await server.machine.shell("sed -i '/nonsense/d' /etc/deployer/settings && systemctl restart deployer");
    await server.live();
  });

  it('takes writes again after the power failed in the middle of a hold, without a deployer too, which then finishes', async () => {
    const commit = await server.push(migration('20991231000002_two', 2000));
    await server.reaches(commit, 'migrate');
    await server.machine.shell('echo DEPLOYER_LISTEN=nonsense >> /etc/deployer/settings');
    expect(await server.machine.run(['readlink', WRITES])).toBe('sluice.sock');
    await server.machine.cut();
    await server.machine.start();
    await server.serves('dev');
    // Refused by the application itself, which has seen it: nobody is logged in.
    expect(await server.visit('dev', '/doc/', ['-X', 'POST'])).toBeLessThan(500);
    await server.machine.shell("sed -i '/nonsense/d' /etc/deployer/settings && systemctl restart deployer");
    await server.live();
    expect(['deployed', 'rejected']).toContain((await server.ended(commit)).outcome);
    await expect.poll(() => server.problems()).toEqual([]);
  });
});
