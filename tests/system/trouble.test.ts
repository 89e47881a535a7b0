import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offerPackage } from './kit/debian-packages.ts';
import type { GitHubInside, Known } from './kit/github.ts';
import type { DebianMachine } from './kit/machine.ts';
import { migration } from './kit/migration.ts';
import { Server } from './kit/server.ts';

const HOME = '/var/lib/deployer';
const GITHUB = fileURLToPath(new URL('kit/github.ts', import.meta.url));

/** Whoever meets it first says so. */
const NO_SPACE = expect.stringMatching(
  /not enough disk space in DEPLOYER_HOME: \d+ MB free, \d+ MB needed$|disk is full|no space left|disk I\/O error/i,
) as string;

/** The deployer's data, and all logs, each on a disk of its own that a test can fill. */
const smallDisks = (machine: DebianMachine) =>
  machine.shell(`
    mkdir -p ${HOME} && mount -t tmpfs -o size=900m,mode=0750 data ${HOME}
    cp -a /var/log /tmp/log && rm -rf /tmp/log/journal/*
    mount -t tmpfs -o size=64m,mode=0755 log /var/log && cp -a /tmp/log/. /var/log/
    systemctl restart systemd-journald && journalctl --flush`);

describe('a host in trouble', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.create(smallDisks);
  });
  afterAll(() => server.machine.dispose());

  const sh = async (line: string) => (await server.machine.exec(['sh', '-c', line])).stdout.trim();
  /** Which process is the deployer. */
  const deployer = () => sh('systemctl show --value --property=MainPID,NRestarts deployer');
  const writes = () => sh(`readlink ${HOME}/run/dev/write.sock`);
  const nextPush = async () =>
    server.ended(
      await server.push("echo >> README.md; sed -i 's/settle: .*/settle: 1s/' environments/dev.yaml"),
    );
  /** Writes until there is no room, or only so many bytes. */
  const fill = (directory: string, bytes = 0) =>
    server.machine.shell(`
      free=$(df --output=avail -B1 ${directory} | tail -1)
      head -c $((${bytes} > 0 ? free - ${bytes} : free * 2)) /dev/zero > ${directory}/fill || true`);
  const empty = (directory: string) => server.machine.shell(`rm -f ${directory}/fill`);
  /** While the disk is full: whether the outcome is noted, or that there is no room to. */
  const decided = (commit: string) =>
    server.machine.waitFor('the outcome, or that there is no room to note it', async () => {
      const { details } = await server.deployer('history', 'dev');
      const all = details['deployments'] as { id: string; commit: string; outcome: string | null }[];
      const found = all.find((each) => each.commit === commit);
      if (found?.outcome) return 'noted';
      const log = await sh('journalctl --unit=deployer --output=cat --lines=200');
      const isWaiting = (line: string) =>
        line.includes('has to be recovered') && line.includes(`"${found?.id ?? ''}"`);
      return log.split('\n').some(isWaiting) ? 'waits' : undefined;
    });
  const bothServe = async () => [await server.visit('dev'), await server.visit('prod')];

  describe('whose disk is full', () => {
    it('rejects what there is no room for, says so, and deploys the next push once there is', async () => {
      await fill(HOME, 60e6);
      const commit = await server.push('echo >> README.md');
      expect(await server.ended(commit)).toEqual({
        outcome: 'rejected',
        cause: expect.stringMatching(
          /^not enough disk space in DEPLOYER_HOME: \d+ MB free, \d+ MB needed$/,
        ) as string,
      });
      await empty(HOME);
      expect(await nextPush()).toEqual({ outcome: 'deployed', cause: null });
    });

    it.each([
      ['rehearse', 1, 4000],
      // It is to last until we have seen it, and is tried in the rehearsal before.
      ['migrate', 2, 10_000],
      ['settle', 3, 0],
    ] as const)('goes on serving when that happens in %s', async (stage, number, milliseconds) => {
      const before = await deployer();
      const commit = await server.push(
        `${migration(`2099123100000${number}_${stage}`, milliseconds)}
         sed -i 's/settle: .*/settle: ${stage === 'settle' ? 20 : 1}s/' environments/dev.yaml`,
      );
      await server.reaches(commit, stage);
      await fill(HOME);
      expect(await bothServe()).toEqual([200, 200]);
      expect((await server.deployer('status')).outcome).toBe('ok');
      // Whatever the application says of its own full disk, it is asked, and nobody waits.
      expect([200, 303, 403, 500]).toContain(await server.visit('dev', '/login/', ['-X', 'POST']));
      if (stage !== 'settle')
        await server.machine.waitFor(
          'the hold to be over',
          async () => (await writes()) !== 'sluice.sock' || undefined,
        );
      // What settles is over once there is room to note it; of the others the full disk decides.
      const isNoted = stage !== 'settle' && (await decided(commit)) === 'noted';
      await empty(HOME);
      const rejected = { outcome: 'rejected', cause: NO_SPACE };
      // Where not even the journal had room it is begun anew.
      expect(await server.ended(commit)).toEqual(isNoted ? rejected : { outcome: 'deployed', cause: null });
      await server.live();
      expect(await deployer()).toBe(before);
      expect(await nextPush()).toEqual({ outcome: 'deployed', cause: null });
    });

    it('deploys although no log can be written', async () => {
      const before = await deployer();
      await fill('/var/log');
      expect(await nextPush()).toEqual({ outcome: 'deployed', cause: null });
      expect(await bothServe()).toEqual([200, 200]);
      await empty('/var/log');
      const commit = await server.push('echo >> README.md');
      expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
      expect(await sh('tail -1 /var/log/datatracker/deployments.log')).toContain(commit.slice(0, 8));
      expect(await deployer()).toBe(before);
    });
  });

  describe('whose clock is set', () => {
    /** For the deployer and for every instance, as `date --set` does for all: what counts on steadily is left alone. */
    const CLOCK = `[Service]
Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME_TIMESTAMP_FILE=/etc/faketime
Environment=FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 FAKETIME_DISABLE_SHM=1
`;
    let all: string[] = [];
    const set = (offset: string) => server.machine.put('/etc/faketime', offset);

    beforeAll(async () => {
      await offerPackage(server.machine, 'libfaketime');
      await server.machine.shell('apt-get install -qq -y libfaketime');
      await set('+0');
      for (const unit of ['deployer', 'datatracker@'])
        await server.machine.put(`/etc/systemd/system/${unit}.service.d/clock.conf`, CLOCK);
      await server.machine.shell("systemctl daemon-reload && systemctl restart deployer 'datatracker@*'");
      await server.live();
      all = await server.backups('dev');
    });

    it.each([
      ['a day ahead', '+1d'],
      ['a day back', '-1d'],
      ['a year ahead', '+1y'],
      ['back to the beginning', '-56y'],
    ])('%s goes on as ever', async (_, offset) => {
      const before = await deployer();
      await set(offset);
      expect(await nextPush()).toEqual({ outcome: 'deployed', cause: null });
      const made = [await server.backup('dev'), await server.backup('dev')];
      // Also what is made by hand is the newest then, whatever its name.
      expect((await server.backups('dev')).slice(0, 2)).toEqual(made.toReversed());
      // None is gone for it.
      all = [...made, ...all];
      expect(await server.backups('dev')).toEqual(expect.arrayContaining(all));
      await server.machine.run(['systemctl', 'kill', '--signal=KILL', 'datatracker@dev-*.service']);
      await server.serves('dev');
      await server.live();
      expect(await deployer()).toBe(before);
    });

    it('in the middle of a hold, and back, lets every write through', async () => {
      await set('+0');
      const commit = await server.push(migration('20991231000009_clock', 4000));
      await server.reaches(commit, 'migrate');
      await set('-1d');
      expect(await server.visit('dev', '/doc/', ['-X', 'POST'])).toBeLessThan(500);
      expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
      await set('+0');
      expect(await nextPush()).toEqual({ outcome: 'deployed', cause: null });
    });
  });

  describe('that is made one which follows a repository on GitHub', () => {
    const PUBLIC = '127.0.0.1:8090';
    const CLONE = '/root/deployer';
    let github: GitHubInside;
    const known = async () => JSON.parse(await sh(`curl -fsS ${github.asked}`)) as Known;
    /** The last word of each context about a commit. */
    const statuses = async (sha: string) =>
      Object.fromEntries(
        (await known()).statuses
          .filter((one) => one.sha === sha)
          .map(({ context, state }) => [context, state] as const),
      );
    const succeeds = (commit: string, context: string) =>
      server.machine.waitFor(
        `${context} of ${commit.slice(0, 8)}`,
        async () => {
          const state = (await statuses(commit))[context];
          if (state === 'failure' || state === 'error') throw new Error(`${context} is ${state}`);
          return state === 'success' || undefined;
        },
        150_000,
      );
    const commitAndPush = (branch: string) =>
      sh(`cd ${CLONE} && echo >> README.md && git commit -qam 'A change' &&
        git push -q ${github.pushUrl} HEAD:${branch} && git rev-parse HEAD`);

    beforeAll(async () => {
      const { machine } = server;
      await machine.shell(`deployer uninstall --purge && umount ${HOME} && systemctl restart caddy`);
      const directory = join(dirname(machine.root), 'github');
      await mkdir(directory);
      const said = await machine.beside([process.execPath, GITHUB, directory], 'asked');
      github = JSON.parse(said) as GitHubInside;
      await machine.shell(
        `git checkout -q -B dev origin/dev && git push -q ${github.pushUrl} HEAD:dev HEAD:main`,
        { cwd: CLONE },
      );
    });

    it('connects it by init and install, the token a credential', async () => {
      const { machine } = server;
      const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, ...urls } = github.settings;
      await machine.put('/etc/deployer/credentials/github-token', token, '0600');
      await machine.put('/etc/deployer/credentials/github-webhook-secret', 'a secret of the webhook', '0600');
      const env = {
        ...urls,
        DEPLOYER_URL: `http://${PUBLIC}`,
        CREDENTIALS_DIRECTORY: '/etc/deployer/credentials',
        DEPLOYER_RECONCILE_INTERVAL: '3600',
      };
      const init = ['npx', 'deployer', 'init', '--repo', repository, '--file', '/etc/deployer/settings'];
      await machine.run(init, { cwd: CLONE, env });
      // Nothing but webhooks may tell of a push.
      await machine.shell('echo DEPLOYER_RECONCILE_INTERVAL=3600 >> /etc/deployer/settings');
      await machine.run(['npx', 'deployer', 'install'], { cwd: CLONE });
      await machine.shell(
        `printf 'http://${PUBLIC} {\n reverse_proxy /webhooks/github 127.0.0.1:9000\n}\n' >> /etc/caddy/Caddyfile && systemctl reload caddy`,
      );
      await server.live();
      expect(await machine.read('/etc/deployer/settings')).not.toContain(token);
      await expect.poll(() => server.problems()).toEqual([]);
    });

    it('deploys what a webhook tells, through Caddy, and GitHub is told the outcome', async () => {
      const commit = await commitAndPush('dev');
      await succeeds(commit, 'deploy/dev');
      await sh(`git -C ${CLONE} push -q ${github.pushUrl} HEAD:main`);
      await succeeds(commit, 'deploy/prod');
      expect(await server.visit('prod')).toBe(200);
      const { deliveries, violations } = await known();
      expect(deliveries.filter(({ event, status }) => event === 'push' && status !== 202)).toEqual([]);
      expect(deliveries.filter(({ event }) => event === 'push').length).toBeGreaterThanOrEqual(2);
      expect(violations).toEqual([]);
    });

    it('shows the token to no process, no log and no file but the credential', async () => {
      await server.machine.put('/root/token', github.settings.GITHUB_TOKEN, '0600');
      const search = (...places: string[]) => sh(`grep -rlaF -f /root/token ${places.join(' ')} 2>/dev/null`);
      const commit = await commitAndPush('dev');
      const found: string[] = [];
      while ((await statuses(commit))['deploy/dev'] !== 'success')
        found.push(await search('/proc/[0-9]*/environ', '/proc/[0-9]*/cmdline'));
      found.push(await search(HOME, '/var/log', '/run/log', '/etc/systemd', '/etc/deployer/settings'));
      expect(found.filter(Boolean)).toEqual([]);
      const encrypted = '/etc/deployer/credentials.encrypted/github-token';
      const isEncrypted = (await sh(`ls ${encrypted} 2>/dev/null`)) === encrypted;
      // In plain text only where systemd cannot encrypt it.
      expect(await search('/etc/deployer')).toBe(isEncrypted ? '' : '/etc/deployer/credentials/github-token');
    });
  });
});
