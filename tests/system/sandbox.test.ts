import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { asDeployer, HOME, inSandbox, NODE, prepareHost } from './kit/host.ts';
import { DebianMachine } from './kit/machine.ts';
import { OF_APPLICATIONS, OF_INSTALLATIONS, PROBES, TRY_ALL, whatItCan } from './kit/probes.ts';

const resultSchema = z.object({
  refused: z.string().optional(),
  exitCode: z.number().nullable().optional(),
  timedOut: z.boolean().optional(),
  stdout: z.string().default(''),
  tail: z.string().default(''),
  log: z.array(z.string()),
});
type Result = z.infer<typeof resultSchema>;

const W = `${HOME}/data/dev/g2`;
describe('on a host', () => {
  let machine: DebianMachine;
  let pids: Record<string, string>;
  beforeAll(async () => {
    machine = await DebianMachine.boot();
    await prepareHost(machine);
    pids = await decoys(machine);
  });
  afterAll(() => machine.dispose());

  const sandboxed = async (script: string, more: object = {}): Promise<Result> => {
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root', W, ...pids };
    const spec = {
      argv: ['bash', '-c', script],
      cwd: '/',
      env,
      timeoutMs: 60_000,
      stdout: 'collect',
      writes: [W],
      ...more,
    };
    const line = await machine.run(inSandbox, { cwd: '/', input: `${JSON.stringify(spec)}\n` });
    return resultSchema.parse(JSON.parse(line));
  };

  describe('the sandbox of a command', () => {
    it('runs it as a user of its own, with exactly its environment, and says how it ended', async () => {
      const first = await sandboxed('id -u; env | sort; echo told >&2; exit 3');
      const [uid, ...env] = first.stdout.trim().split('\n');
      expect(Number(uid)).toBeGreaterThan(60_000);
      expect(env.filter((line) => !/^(PWD|SHLVL|_|LANG)=/.test(line))).toEqual(
        [...Object.entries(pids), ['HOME', '/tmp'], ['PATH', '/usr/local/bin:/usr/bin:/bin'], ['W', W]]
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      );
      expect(first).toMatchObject({ exitCode: 3, log: ['told'] });
      expect((await sandboxed('id -u')).stdout.trim()).not.toBe(uid);
    });

    it.each(Object.entries(PROBES))('cannot %s', async (_, probe) => {
      // The probe itself works.
      await machine.run(['bash', '-c', probe], { env: { W, ...pids } });
      const inside = await sandboxed(probe);
      expect(inside.refused).toBeUndefined();
      expect(inside.exitCode).not.toBe(0);
    });

    it('leaves no process behind, however it hides', async () => {
      const { exitCode } = await sandboxed(
        '(setsid sleep 4242 &) ; (nohup sleep 4242 >/dev/null 2>&1 &) ; exit 0',
      );
      expect(exitCode).toBe(0);
      expect((await machine.exec(['pgrep', '-f', 'sleep 4242'])).stdout).toBe('');
    });

    it('ends one that takes too long, one that forks without end, and one that takes all memory', async () => {
      expect(await sandboxed('trap "" TERM INT; sleep 100', { timeoutMs: 500 })).toMatchObject({
        exitCode: null,
        timedOut: true,
      });
      const forks = await sandboxed('for i in $(seq 600); do sleep 2 & done 2>/dev/null; jobs -p | wc -l', {
        timeoutMs: 20_000,
      });
      expect(forks.exitCode === 0 && Number(forks.stdout) >= 600).toBe(false);
      const hog = 'node -e "const all = []; for (;;) all.push(Buffer.alloc(64e6, 1));"';
      expect((await sandboxed(hog, { timeoutMs: 30_000 })).timedOut).toBe(false);
    });

    it('limits what its processes take together, whatever each of them does', async ({ skip }) => {
      const controllers = await machine.shell(
        'cat /sys/fs/cgroup/cgroup.controllers || true; cd /sys/fs/cgroup; ls -d {memory,pids}/system.slice || true',
      );
      const areThere = /memory/.test(controllers) && /pids/.test(controllers);
      skip(
        !areThere,
        `this machine does not let a container use the controllers memory and pids: ${controllers}`,
      );
      for (const more of [{}, { network: true }]) {
        // Shared memory is nobody's data segment: LimitDATA does not see it.
        const hog =
          'import mmap; m = mmap.mmap(-1, 3 << 30)\nfor at in range(0, 3 << 30, 4096): m[at] = 1\nprint("all of it")';
        const { exitCode, stdout } = await sandboxed(`exec python3 -c '${hog}'`, more);
        expect([exitCode, stdout]).toEqual([null, '']);
        // LimitNPROC alone would also stop the forks of one user.
        const limit = await sandboxed(
          'g=$(grep -E "pids|^0:" /proc/self/cgroup | head -1 | cut -d: -f3); cat /sys/fs/cgroup/{,pids}$g/pids.max',
          more,
        );
        expect(limit.stdout.trim()).toBe('256');
      }
    });

    it('stops one that fills the disk', async () => {
      // The machine's disk is memory, of which a command may take less than that.
      await machine.shell(
        'free=$(df --output=avail -B1 /var/lib | tail -1); fallocate -l $((free - 1000000000)) /var/lib/others',
      );
      const filled = await sandboxed(
        'for i in $(seq 100); do head -c 1G /dev/zero > $W/fill$i || sleep 60; done',
      );
      expect(filled.refused).toMatch(
        /^stopped: not enough disk space in DEPLOYER_HOME: \d+ MB free, 100 MB needed$/,
      );
      await machine.shell(`rm -f ${W}/fill* /var/lib/others`);
    });

    it('has the network for an installation, and what that made is the deployer’s own', async () => {
      const made = `${HOME}/data/dev/g3`;
      const script = `exec 3<>/dev/tcp/127.0.0.1/4873 && mkdir -m 0500 $M/made && ln -s ${HOME}/admin-token $M/leak && id -u`;
      const done = await sandboxed(`umask 0; mkdir $M/d; echo x > $M/d/x; chmod 0500 $M/d; ${script}`, {
        network: true,
        makes: made,
        writes: [made],
        env: { PATH: '/usr/bin:/bin', M: made },
      });
      expect(done.exitCode).toBe(0);
      const owners = await machine.run(['find', made, '-mindepth', '1', '-not', '-user', 'deployer']);
      expect(owners).toBe('');
      expect(await machine.run(['readlink', `${made}/leak`])).toBe(`${HOME}/admin-token`);
      await machine.run(asDeployer(['rm', '-r', `${made}/d`, `${made}/made`, `${made}/leak`]));
    });
  });

  it('an installation can do no more than it is to', async () => {
    const makes = `${HOME}/data/dev/g5`;
    const env = { ...pids, W: makes, PATH: '/usr/bin:/bin' };
    const { stdout } = await sandboxed(TRY_ALL, { network: true, makes, writes: [makes], env });
    expect(whatItCan(stdout).toSorted()).toEqual(OF_INSTALLATIONS.toSorted());
  });

  it('a release that is live can do no more than it is to', async () => {
    const instance = 'dev-green';
    const own = `${HOME}/data/dev/g4`;
    const program = `${HOME}/releases/own/probes.sh`;
    const lines = (all: object) =>
      Object.entries(all)
        .map(([name, value]) => `${name}="${value}"\n`)
        .join('');
    const environment = lines({
      ...pids,
      W: own,
      PATH: '/usr/bin:/bin',
      UNIT_DIRECTORY: '/',
      UNIT_COMMAND: `bash ${program}`,
    });
    const furnish = `umask 077; cd ${HOME}; mkdir -p -m 755 units/${instance}/{reads,writes}; chmod 755 units/${instance}
      mkdir -m 770 ${own}; ln -s ${own} units/${instance}/writes/0; cat > ${program}; chmod 644 ${program}
      printf '%s' "$0" > units/${instance}/environment`;
    await machine.run(asDeployer(['bash', '-euc', furnish, environment]), {
      cwd: '/',
      input: `{\n${TRY_ALL}\n} > $W/can; touch $W/done; sleep 1000\n`,
    });
    const unit = `datatracker@${instance}.service`;
    await machine.run(asDeployer(['systemctl', 'start', '--no-ask-password', unit]));
    await machine.waitFor('the last probe', async () =>
      (await machine.exec(['test', '-e', `${own}/done`])).code === 0 ? true : undefined,
    );
    await machine.run(['systemctl', 'stop', unit]);
    const can = whatItCan(await machine.read(`${own}/can`));
    expect(can.filter((name) => !OF_APPLICATIONS.includes(name))).toEqual([]);
    // It has tried: the network is its own.
    expect(can).toContain('reach the network');
  });

  it('the deployer starts and stops its own units, and nothing else', async () => {
    const may = (...argv: string[]) => machine.exec(asDeployer(argv));
    const forbidden = [
      ['systemctl', 'restart', '--no-ask-password', 'dbus.service'],
      ['systemctl', 'start', '--no-ask-password', 'emergency.service'],
      ['systemctl', 'stop', '--no-ask-password', 'polkit.service'],
      ['systemctl', 'set-property', 'datatracker@prod-blue.service', 'MemoryMax=1G'],
      ['systemctl', 'daemon-reload', '--no-ask-password'],
      ['systemctl', 'enable', '--no-ask-password', 'datatracker@prod-blue.service'],
      ['systemctl', 'start', '--no-ask-password', 'datatracker@../../evil.service'],
      ['systemd-run', '--no-ask-password', '--unit=datatracker@evil.service', 'touch', '/root/planted'],
      ['systemd-run', '--no-ask-password', '--unit=deployer-run@evil.service', 'touch', '/root/planted'],
    ];
    const allowed = [];
    for (const argv of forbidden) if ((await may(...argv)).code === 0) allowed.push(argv.join(' '));
    expect(allowed).toEqual([]);
    expect(await machine.exec(['test', '-e', '/root/planted'])).toMatchObject({ code: 1 });
    expect(await may('systemctl', 'stop', '--no-ask-password', 'datatracker@none.service')).toMatchObject({
      code: 0,
    });
  });
});

const SERVER = `require('node:http').createServer((_, answer) => answer.end('live')).listen(process.env.LISTEN);`;
const DAEMON = `const { createServer } = require('node:net');
  for (const at of [{ host: '127.0.0.1', port: 9000 }, { path: '${HOME}/run/control.sock' }]) createServer().listen(at);
  createServer().listen('\\0decoy');`;

/** What the probes are after: secrets, data of others, a daemon, and an instance of production. Returns the process ids. */
async function decoys(machine: DebianMachine): Promise<Record<string, string>> {
  await machine.shell(`
    cp /usr/bin/id /usr/local/bin/setuid-id; chmod 4755 /usr/local/bin/setuid-id
    mkdir -p /etc/cron.d; echo decoy > /tmp/decoy; echo decoy > /var/lib/decoy; chmod 600 /var/lib/decoy
    echo secret > /etc/deployer/settings; chmod 640 /etc/deployer/settings`);
  const script = `umask 077; cd ${HOME}
    for file in admin-token webhook-secret state.sqlite data/prod/g1/datatracker.db data/dev/g1/datatracker.db \
      files/prod/upload backups/prod/manifest.json origin.git/HEAD releases/own/app.js releases/other/app.js \
      dependencies/key/index.js data/dev/g2/datatracker.db run/none units/prod-blue/none; do
      mkdir -p "$(dirname "$file")"; echo decoy > "$file"
    done
    chmod 755 releases dependencies units units/prod-blue releases/own
    echo "$1" > releases/own/app.js; echo "$2" > daemon.js; chmod 644 releases/own/app.js
    printf 'LISTEN="/run/datatracker/prod-blue/http.sock"\nPATH="/usr/bin:/bin"\nUNIT_DIRECTORY="/"\nUNIT_COMMAND="node ${HOME}/releases/own/app.js"\n' > units/prod-blue/environment`;
  await machine.run(asDeployer(['bash', '-euc', script, 'bash', SERVER, DAEMON]), { cwd: '/' });
  const daemon = ['--unit=decoy', '--uid=deployer', '--gid=datatracker', '--setenv=CANARY=canary'];
  await machine.run(['systemd-run', '--quiet', ...daemon, NODE, `${HOME}/daemon.js`]);
  await machine.run(asDeployer(['systemctl', 'start', '--no-ask-password', 'datatracker@prod-blue.service']));
  for (const socket of [`${HOME}/run/control.sock`, '/run/datatracker/prod-blue/http.sock'])
    await machine.waitFor(
      socket,
      async () => (await machine.exec(['test', '-S', socket])).code === 0 || undefined,
    );
  const pidOf = (unit: string) => machine.run(['systemctl', 'show', '--value', '--property=MainPID', unit]);
  return { DAEMON: await pidOf('decoy'), INSTANCE: await pidOf('datatracker@prod-blue') };
}
