import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GLOBAL_OPTIONS, ROOT, startAuthority } from './kit/authority.ts';
import { Server } from './kit/server.ts';

const SITE = 'dev.example.test';
const CREDENTIALS = '/etc/deployer/credentials';
const CANARY = `canary-${randomUUID()}`;

const REPOSITORY = '/var/lib/deployer/origin.git';
/** Without a verification of its own: that it answers is enough. */
const STAGING = `name: staging
branch: stage
listen: 127.0.0.1:8002
commands:
  install: npm ci --omit=dev --ignore-scripts
  start: node app/server.ts
  migrate: node migrations/run.ts
database: { client: better-sqlite3, file: datatracker.db }
cutover: { settle: 1s }`;

describe('a maintainer of a host', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.installed();
  });
  afterAll(() => (server as Server | undefined)?.machine.dispose());

  const sh = async (line: string) => (await server.machine.exec(['sh', '-c', line])).stdout.trim();
  /** The variables of what is live in dev. */
  const variables = () =>
    sh(
      "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID $(grep @dev- /var/lib/deployer/units/live))/environ",
    );

  it('gives an environment a secret: encrypted for this machine, seen by its instances alone', async () => {
    await server.machine.put(`${CREDENTIALS}/dev.env`, `MAIL_PASSWORD=${CANARY}\n`, '0600');
    expect(await server.problems()).toContainEqual(
      expect.objectContaining({ actual: 'in plain text: dev.env', hint: 'deployer install' }),
    );
    expect((await server.deployer('install')).outcome).toBe('ok');
    expect(await sh(`ls ${CREDENTIALS}; stat -c '%n %a %U' ${CREDENTIALS}.encrypted/*`)).toBe(
      `${CREDENTIALS}.encrypted/dev.env 600 root`,
    );
    await server.live();
    expect(await variables()).not.toContain('MAIL_PASSWORD');
    expect((await server.deployer('deploy', 'dev', '--wait')).outcome).toBe('deployed');
    expect(await variables()).toContain(`MAIL_PASSWORD=${CANARY}`);
    await expect.poll(() => server.problems()).toEqual([]);
    const room = '/var/lib/deployer/units/dev-*/environment';
    const elsewhere = 'grep -v -e /journal/ -e ^/var/lib/deployer/units/dev-';
    expect(
      await sh(
        `grep -rlF ${CANARY} /etc /opt /srv /var/lib/deployer /var/lib/systemd /var/log | ${elsewhere}`,
      ),
    ).toBe('');
    expect(await sh(`stat -c '%a %U' ${room} | sort -u`)).toBe('600 deployer');
    expect(await sh(`journalctl --no-pager -o cat | grep -c ${CANARY}`)).toBe('0');
  });

  it('learns which line of a secret cannot be understood, before it is encrypted', async () => {
    await server.machine.put(`${CREDENTIALS}/dev.env`, 'MAIL_PASSWORD\n', '0600');
    const { outcome, details } = await server.deployer('install');
    expect([outcome, JSON.stringify(details)]).toEqual([
      'failed',
      expect.stringContaining(`${CREDENTIALS}/dev.env:1: expected NAME=value`),
    ]);
    expect(await sh(`ls ${CREDENTIALS}`)).toBe('dev.env');
    await sh(`rm ${CREDENTIALS}/dev.env`);
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('learns which secret is of another machine, and writes it anew', async () => {
    await sh(`sed -i 's/[a-y]/z/' ${CREDENTIALS}.encrypted/dev.env`);
    expect(await server.problems()).toContainEqual(
      expect.objectContaining({ actual: expect.stringContaining(`write it anew to ${CREDENTIALS}/dev.env`) }),
    );
    await server.machine.put(`${CREDENTIALS}/dev.env`, 'MAIL_PASSWORD=another\n', '0600');
    expect((await server.deployer('install')).outcome).toBe('ok');
    await server.live();
    await expect.poll(() => server.problems()).toEqual([]);
    expect((await server.deployer('deploy', 'dev', '--wait')).outcome).toBe('deployed');
    expect(await variables()).toContain('MAIL_PASSWORD=another');
  });

  describe('who gives an environment a public name', () => {
    const curl = (...more: string[]) => sh(`curl -sS --cacert ${ROOT} ${more.join(' ')} 2>&1`);
    const serial = () =>
      sh(
        `openssl s_client -connect ${SITE}:443 -servername ${SITE} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
      );

    it('is told by doctor that Caddy does not know it yet, and then that it has no certificate', async () => {
      const commit = await server.push(`sed -i 's|^url:.*|url: https://${SITE}|' environments/dev.yaml`);
      expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
      expect(await server.problems()).toEqual([
        expect.objectContaining({ name: `Caddy serves dev at https://${SITE}` }),
      ]);
      await server.machine.run(['npx', 'deployer', 'install'], { cwd: '/root/deployer' });
      expect(await server.problems()).toEqual([
        expect.objectContaining({ name: `certificate of ${SITE}`, actual: 'none yet' }),
      ]);
    });

    it('has a certificate once an authority gives it, and https alone', async () => {
      await startAuthority(server.machine, SITE);
      const caddyfile = await server.machine.read('/etc/caddy/Caddyfile');
      await server.machine.put('/etc/caddy/Caddyfile', caddyfile.replace('\n', GLOBAL_OPTIONS));
      await server.machine.run(['systemctl', 'restart', 'caddy']);
      await server.machine.waitFor('a certificate', async () =>
        (await curl('-o /dev/null -w "%{http_code}"', `https://${SITE}/`)) === '200' ? true : undefined,
      );
      expect(await curl('-o /dev/null -w "%{http_code} %{redirect_url}"', `http://${SITE}/doc/all/`)).toBe(
        `308 https://${SITE}/doc/all/`,
      );
      expect(await curl('-I', `https://${SITE}/`)).toMatch(
        /strict-transport-security: max-age=31536000\r?\n/i,
      );
      await expect.poll(() => server.problems()).toEqual([]);
    });

    it('keeps it over deployments, and serves assets compressed and for good', async () => {
      const before = await serial();
      const commit = await server.push('echo >> README.md');
      expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
      expect(await serial()).toBe(before);
      const asset = /\/assets\/bootstrap[^"]+/.exec(await curl(`https://${SITE}/`))?.[0] ?? '';
      const head = await curl('-D - -o /dev/null -H "Accept-Encoding: gzip"', `'https://${SITE}${asset}'`);
      expect(head).toMatch(/content-encoding: gzip/i);
      expect(head).toMatch(/cache-control: public, max-age=31536000, immutable/i);
      const etag = /etag: (\S+)/i.exec(head)?.[1] ?? '';
      expect(
        await curl(
          '-o /dev/null -w "%{http_code}" -H "Accept-Encoding: gzip"',
          `-H 'If-None-Match: ${etag}'`,
          `'https://${SITE}${asset}'`,
        ),
      ).toBe('304');
    });
  });

  it('removes an environment without a branch: a maintenance page first, and nothing after install', async () => {
    const clone = { cwd: '/root/deployer' };
    const git = 'runuser -u deployer -- git -C /var/lib/deployer/origin.git';
    await server.machine.shell(`${git} update-ref -d refs/heads/dev`);
    const { outcome, details } = await server.deployer('remove', 'dev', '--reason', 'a test');
    expect([outcome, details]).toEqual(['ok', { name: 'dev', backup: expect.any(String) }]);
    expect(await sh(`ls /var/lib/deployer/backups/dev/${String(details['backup'])}`)).toContain(
      'manifest.json',
    );
    expect(
      await sh('systemctl list-units --plain --no-legend "datatracker@dev-*"; ls /var/lib/deployer/units'),
    ).not.toContain('dev-');
    const page = await sh(`curl -s -H 'Accept: text/html' -w '%{http_code}' http://127.0.0.1:8001/`);
    expect(page).toContain('Back in a moment');
    expect(page).toMatch(/503$/);
    await server.machine.shell('git rm -q environments/dev.yaml && git commit -qm "No dev"', clone);
    await server.machine.run(['npx', 'deployer', 'install'], clone);
    expect(await sh('ls /etc/caddy/deployer')).toBe('prod.caddy');
    expect(await sh("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8001/")).toBe('000');
    expect(await server.visit('prod')).toBe(200);
    await expect.poll(() => server.problems()).toEqual([]);
  });

  it('adds an environment whose file is on its own branch alone', async () => {
    const clone = { cwd: '/root/deployer' };
    await server.machine.shell(
      `git checkout -q -b stage
       echo '${STAGING}' > environments/staging.yaml
       git add -A && git commit -qm Staging
       git push -q --receive-pack='runuser -u deployer -- git-receive-pack' ${REPOSITORY} HEAD:stage
       git checkout -q -`,
      clone,
    );
    const missing = await server.machine.waitFor('the environment to be found', async () => {
      const problems = await server.problems();
      return problems.length > 0 ? problems : undefined;
    });
    expect(missing).toEqual([
      expect.objectContaining({ name: 'the deployer', actual: 'not ready (503)' }),
      expect.objectContaining({
        name: 'Caddy serves staging',
        hint: expect.stringContaining('environments/staging.yaml') as string,
      }),
    ]);
    await server.machine.shell(
      `git remote set-url origin ${REPOSITORY}
       git config remote.origin.uploadpack 'runuser -u deployer -- git-upload-pack'
       git fetch -q && git checkout -q origin/stage -- environments/staging.yaml`,
      clone,
    );
    await server.machine.run(['npx', 'deployer', 'install'], clone);
    expect((await server.deployer('deploy', 'staging', '--wait')).outcome).toBe('deployed');
    expect(await sh("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8002/")).toBe('200');
    await expect.poll(() => server.problems()).toEqual([]);
  });
});
