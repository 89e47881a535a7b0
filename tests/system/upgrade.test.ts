import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { versionBefore } from './kit/project.ts';
import { Server } from './kit/server.ts';

const TRIAL = '/var/lib/deployer/upgrade/trial.json';
const CURRENT = '/opt/deployer/upgrades/current';

/** A migration of the deployer's state, as a shell line. */
const migration = (name: string) => `cat > migrations/deployer/2099${name}.ts <<'END'
import type { Knex } from 'knex';
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('new_${name}', (table) => void table.increments('id'));
}
export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('new_${name}');
}
END`;

/** What the daemon does first, on a host only: not where the new deployer proves itself. */
const atStart = (code: string) =>
  `sed -i 's|^  await needGit();|  ${code}|; s|^    await needGit();|    ${code}|' deployer/daemon/run.ts`;

describe('a new deployer that main brings', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.create();
    // No test waits for two minutes until systemd has lost its patience.
    await server.machine.put(
      '/etc/systemd/system/deployer.service.d/test.conf',
      '[Service]\nTimeoutStartSec=40\n',
    );
    await server.machine.run(['systemctl', 'daemon-reload']);
  });
  afterAll(() => server.machine.dispose());
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    process.stderr.write(
      await sh('journalctl --no-pager -o short-precise -n 80 -u deployer -u deployer-upgrade@*'),
    );
  });

  const sh = async (line: string) => (await server.machine.exec(['sh', '-c', line])).stdout.trim();
  const tables = () => sh('sqlite3 -readonly /var/lib/deployer/state.sqlite .tables');
  const now = () => sh(`cat ${CURRENT}/package.json | grep version`);
  const state = async () => ({ trial: await sh(`cat ${TRIAL}`), running: await sh(`readlink ${CURRENT}`) });

  /** Pushes a change of the deployer and merges it into main. Returns its tree. */
  async function bring(...changes: string[]): Promise<string> {
    const commit = await server.push(changes.join('\n'));
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
    await server.live();
    await server.deployer('promote', 'dev', 'prod');
    return sh(`git -C /root/deployer rev-parse ${commit}^{tree}`);
  }
  const waitFor = (what: string, is: () => Promise<boolean>) =>
    server.machine.waitFor(what, async () => (await is()) || undefined, 150_000);
  const trialOf = (tree: string) =>
    waitFor('the new deployer to be started', async () => (await state()).trial.includes(`"to":"${tree}"`));
  const over = () => waitFor('the upgrade to be over', async () => (await state()).trial === '');
  const hasTakenOver = (tree: string) =>
    waitFor('the new deployer to take over', async () => {
      const { trial, running } = await state();
      return trial === '' && running === tree;
    });
  /** The status of an answer of the deployer's own. */
  const api = (method: string, path: string) =>
    sh(`curl -s -o /dev/null -w '%{http_code}' -X ${method} http://127.0.0.1:9000${path}`);
  const failures = () => sh('cat /var/lib/deployer/upgrade/failed/*.json');

  it('takes over with the state that it migrates, although it is killed, and deploys what was pushed meanwhile', async () => {
    const tree = await bring(
      `sed -i 's/"version": "[0-9.]*"/"version": "7.0.0"/' package.json`,
      migration('one'),
    );
    await waitFor('its first start', async () => (await state()).trial.includes('"starts":1'));
    await waitFor('the new deployer to watch itself', async () => (await api('GET', '/healthz')) === '200');
    expect(await api('POST', '/webhooks/github')).toBe('503');
    await server.machine.run(['systemctl', 'kill', '--signal=KILL', 'deployer.service']);
    const meanwhile = await server.push('echo >> README.md');
    await hasTakenOver(tree);
    expect(await now()).toContain('7.0.0');
    expect(await tables()).toContain('new_one');
    expect(await server.ended(meanwhile)).toEqual({ outcome: 'deployed', cause: null });
    expect(
      await sh(`stat -c %U ${CURRENT}/deployer/cli/main.ts; systemctl show -p NRestarts --value deployer`),
    ).toMatch(/^deployer-code\n/);
    expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
  });

  it('is not taken when it cannot begin, and says why', async () => {
    const before = await state();
    const tree = await bring("echo 'this is no program' >> deployer/daemon/daemon.ts", migration('two'));
    await waitFor('the refusal', async () => (await failures()).includes(tree));
    expect(await state()).toEqual(before);
    expect(await failures()).toContain('copy of the state: deployer/daemon/daemon.ts:');
    expect(await tables()).not.toContain('new_two');
    expect(JSON.stringify(await server.problems())).toContain("the deployer's upgrade");
    await server.push('git revert --no-commit HEAD');
    await server.live();
  });

  it.each([
    ['ends', 'process.exit(3);'],
    ['crashes after 5 seconds', 'setTimeout(() => process.exit(3), 5000);'],
    ['hangs', 'await new Promise(() => setInterval(() => {}, 1000));'],
  ])('is taken back by itself when it %s at its start', async (what, code) => {
    const before = await state();
    const name = what.split(' ')[0] ?? '';
    const tree = await bring(atStart(code), migration(name));
    await trialOf(tree);
    const meanwhile = await server.push('echo >> README.md');
    await over();
    expect(await state()).toEqual(before);
    expect(await failures()).toContain(tree);
    expect(await server.ended(meanwhile)).toEqual({ outcome: 'deployed', cause: null });
    expect(await tables()).not.toContain(`new_${name}`);
    expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
    expect(JSON.stringify((await server.deployer('history', 'prod', '--audit')).details)).toContain(
      'upgrade-failed',
    );
    await server.push('git revert --no-commit HEAD~1');
    await server.live();
  });

  it('takes over although the power fails while it is put in place', async () => {
    const tree = await bring(
      `sed -i 's/"version": "[0-9.]*"/"version": "8.0.0"/' package.json`,
      migration('last'),
    );
    await trialOf(tree);
    await server.machine.cut();
    await server.machine.start();
    await hasTakenOver(tree);
    await server.live();
    expect(await now()).toContain('8.0.0');
    expect(await tables()).toContain('new_last');
    await expect.poll(() => server.problems()).toEqual([]);
  });
});

describe('the deployer of the version before', async () => {
  const before = await versionBefore();

  it.skipIf(before === null)('is replaced by the present one, and what was live stays so', async () => {
    const server = await Server.create(undefined, before ?? '');
    try {
      const sh = async (line: string) => (await server.machine.exec(['sh', '-c', line])).stdout.trim();
      const commit = await server.push(
        'git fetch -q origin present && git read-tree -u --reset FETCH_HEAD && date > upgraded',
      );
      expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
      await server.live();
      await server.deployer('promote', 'dev', 'prod');
      const tree = await sh(`git -C /root/deployer rev-parse ${commit}^{tree}`);
      await server.machine.waitFor(
        'the present deployer to take over',
        async () => {
          const failed = await sh('cat /var/lib/deployer/upgrade/failed/*.json');
          if (failed !== '') throw new Error(failed);
          return (await sh(`readlink ${CURRENT}; ls ${TRIAL}`)) === tree || undefined;
        },
        150_000,
      );
      await server.live();
      expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
      expect(await server.ended(await server.push('echo >> README.md'))).toEqual({
        outcome: 'deployed',
        cause: null,
      });
      // By what root installs then, too.
      await server.machine.shell(
        `git config --global --add safe.directory /var/lib/deployer/origin.git
         git -C /root/deployer fetch -q /var/lib/deployer/origin.git main
         git -C /root/deployer reset -q --hard FETCH_HEAD`,
      );
      await server.machine.run(['npx', 'deployer', 'install'], { cwd: '/root/deployer' });
      await expect.poll(() => server.problems()).toEqual([]);
    } finally {
      await server.machine.dispose();
    }
  });
});
