import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeploymentRecord } from '../../../deployer/deployment/record.ts';
import { runCommand } from '../../../deployer/host/command.ts';
import { removeTree } from '../../../deployer/release/files.ts';
import { openState } from '../../../deployer/state.ts';
import { readFailures, readTrial } from '../../../deployer/upgrade/trial.ts';
import { createUpgrade } from '../../../deployer/upgrade/upgrade.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
const PARTS = [
  'deployer',
  'backups',
  'environments',
  'migrations/deployer',
  'package.json',
  'package-lock.json',
];
const TREE = 'a'.repeat(40);
const MIGRATION = `import type { Knex } from 'knex';
export const up = (knex: Knex) => knex.schema.createTable('brand_new', (table) => void table.increments('id'));
export const down = (knex: Knex) => knex.schema.dropTable('brand_new');
`;

type Live = Partial<DeploymentRecord>;

/** A host with this deployer, its state, and a release with another one. */
async function host(change: (release: string) => void, live: Live = {}, more: Live[] = []) {
  const root = mkdtempSync(join(tmpdir(), 'upgrade-'));
  onTestFinished(() => removeTree(root));
  const home = join(root, 'home');
  const upgrades = { directory: join(root, 'upgrades'), installed: join(root, 'current') };
  symlinkSync(PROJECT, upgrades.installed);
  const release = join(home, 'releases', TREE);
  const { stdout } = await promisify(execFile)('git', [
    '-C',
    PROJECT,
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    ...PARTS,
  ]);
  for (const file of stdout.split('\n').filter(Boolean)) {
    mkdirSync(dirname(join(release, file)), { recursive: true });
    cpSync(join(PROJECT, file), join(release, file));
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(release, 'node_modules'));
  change(release);
  const state = await openState({ home, databaseUrl: null });
  onTestFinished(() => state.destroy());
  const happened: string[] = [];
  const tell = (what: string) => async () => void happened.push(what);
  const finishedAt = new Date(Date.now() + 60_000).toISOString();
  const deployed = {
    kind: 'deploy',
    outcome: 'deployed',
    tree: TREE,
    commit: 'c'.repeat(40),
    environment: 'prod',
    finishedAt,
  };
  const all = [
    { ...deployed, ...live },
    ...more.map((each) => ({ ...deployed, ...each })),
  ] as DeploymentRecord[];
  const parts = {
    home,
    running: { directory: PROJECT, name: 'installed' as string | null },
    upgrades,
    journal: {
      liveOf: async (name: string) => all[Number(name)] ?? null,
      audit: async ({ action, detail }: { action: string; detail: string }) =>
        void happened.push(`${action}: ${detail}`),
    },
    names: async () => all.map((_, index) => String(index)),
    conductor: { rest: tell('rest'), resume: tell('resume') },
    put: async (name: string) => void happened.push(`put ${name}`),
    runCommand,
    env: { PATH: process.env['PATH'] },
    logger: pino({ level: 'silent' }),
  };
  return { home, state, happened, release, parts };
}

const other = (release: string) => appendFileSync(join(release, 'deployer', 'version.ts'), '// another\n');

describe('a deployer that main brings', () => {
  it('proves itself on a copy of the state, and is put in place when nothing runs', async () => {
    const { home, state, happened, parts } = await host((release) =>
      writeFileSync(join(release, 'migrations', 'deployer', '20991231000000_brand_new.ts'), MIGRATION),
    );
    const upgrade = createUpgrade(parts);
    await upgrade.look();
    expect(happened).toEqual(['rest', `put ${TREE}`]);
    expect(upgrade.replaced.aborted).toBe(true);
    expect(await readTrial(home)).toMatchObject({ from: 'installed', to: TREE, starts: 0, back: null });
    expect(await state.schema.hasTable('brand_new')).toBe(false);
    await upgrade.look();
    expect(happened).toHaveLength(2);
  });

  it.each<[string, (release: string) => void, RegExp, number?]>([
    [
      'is no program',
      (release) => appendFileSync(join(release, 'deployer', 'daemon', 'daemon.ts'), 'this is no program\n'),
      /^it does not begin on a copy of the state: deployer\/daemon\/daemon\.ts:\d+: /,
    ],
    [
      'ends at once',
      (release) => appendFileSync(join(release, 'deployer', 'daemon', 'daemon.ts'), 'process.exit(7);\n'),
      /it ended with 7$/,
    ],
    [
      'cannot migrate the state',
      (release) =>
        writeFileSync(
          join(release, 'migrations', 'deployer', '20991231000000_bad.ts'),
          "export const up = () => Promise.reject(new Error('no such luck'));\nexport const down = up;\n",
        ),
      /the deployer's state cannot be opened: .*no such luck/,
    ],
    [
      'hangs',
      (release) =>
        appendFileSync(
          join(release, 'deployer', 'daemon', 'daemon.ts'),
          'setInterval(() => {}, 1000);\nawait new Promise(() => {});\n',
        ),
      /^it did not begin within 5 s/,
      5000,
    ],
  ])('that %s is not taken: why is told once, and it is not tried again', async (_, change, why, proofMs) => {
    const { home, happened, parts } = await host(change);
    const upgrade = createUpgrade({ ...parts, ...(proofMs === undefined ? {} : { proofMs }) });
    await upgrade.look();
    expect(await readFailures(home)).toMatchObject([
      { tree: TREE, cause: expect.stringMatching(why), told: true },
    ]);
    await upgrade.look();
    expect(happened).toEqual([
      expect.stringMatching(/^upgrade-failed: the deployer of cccccccc did not take over: /),
    ]);
    expect([upgrade.replaced.aborted, await readTrial(home)]).toEqual([false, null]);
    expect(upgrade.problems()).toEqual([
      expect.stringContaining('the deployer of cccccccc did not take over'),
    ]);
  });

  it('is tried when it is another one than the one that failed', async () => {
    const { happened, release, parts } = await host((directory) =>
      writeFileSync(join(directory, 'deployer', 'daemon', 'daemon.ts'), 'process.exit(7);\n'),
    );
    await createUpgrade(parts).look();
    cpSync(
      join(PROJECT, 'deployer', 'daemon', 'daemon.ts'),
      join(release, 'deployer', 'daemon', 'daemon.ts'),
    );
    other(release);
    await createUpgrade(parts).look();
    expect(happened.slice(1)).toEqual(['rest', `put ${TREE}`]);
  });

  it('that cannot be put in place leaves everything as it was', async () => {
    const { home, happened, parts } = await host(other);
    const upgrade = createUpgrade({ ...parts, put: () => Promise.reject(new Error('no space left')) });
    await upgrade.look();
    expect([happened, await readTrial(home), upgrade.replaced.aborted]).toEqual([
      ['rest', 'resume'],
      null,
      false,
    ]);
    expect(upgrade.problems()).toEqual(['the deployer of cccccccc could not be put in place: no space left']);
  });
});

describe('nothing is replaced', () => {
  const gate = { config: { requires: 'dev' } as DeploymentRecord['config'] };
  it.each<[string, (release: string) => void, Live, Live[]]>([
    [
      'by the same deployer with another application',
      (release) => writeFileSync(join(release, 'other.txt'), ''),
      {},
      [],
    ],
    ['by what a rollback made live', other, { kind: 'rollback' }, []],
    [
      'by what was deployed before this deployer was put here',
      other,
      { finishedAt: '2020-01-01T00:00:00Z' },
      [],
    ],
    ['by what dev has, where there is a production', other, {}, [{ ...gate, tree: 'b'.repeat(40) }]],
    ['when nobody says which of two environments is meant', other, {}, [{}]],
  ])('%s', async (_, change, live, more) => {
    const { happened, parts } = await host(change, live, more);
    await createUpgrade(parts).look();
    expect(happened).toEqual([]);
  });

  it('outside of a host', async () => {
    const { happened, parts } = await host(other);
    const upgrade = createUpgrade({ ...parts, running: { ...parts.running, name: null } });
    await upgrade.look();
    expect([happened, upgrade.problems()]).toEqual([[], []]);
  });
});
