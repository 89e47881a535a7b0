import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { beforeStart } from '../../../deployer/upgrade/before-start.ts';
import { chosen, choose, INSTALLED } from '../../../deployer/upgrade/place.ts';
import { put } from '../../../deployer/upgrade/put.ts';
import { readFailures, readTrial, writeTrial } from '../../../deployer/upgrade/trial.ts';
import { entriesIn } from '../../../deployer/release/entries.ts';
import { makeReadOnly, removeTree } from '../../../deployer/release/files.ts';
import { treeId } from '../../../deployer/release/tree.ts';

const KILLED = fileURLToPath(new URL('killed.ts', import.meta.url));
const LIKE = '0'.repeat(40);

interface Host {
  home: string;
  upgrades: { directory: string; installed: string };
}

/** A home with a state and a release of two files, and a place for upgrades; both go with the test. */
async function host(): Promise<Host & { tree: string }> {
  const root = mkdtempSync(join(tmpdir(), 'upgrade-'));
  onTestFinished(() => removeTree(root));
  const home = join(root, 'home');
  const upgrades = { directory: join(root, 'opt', 'upgrades'), installed: join(root, 'opt', 'current') };
  mkdirSync(join(root, 'opt', 'installed'), { recursive: true });
  symlinkSync('installed', upgrades.installed);
  const release = join(home, 'releases', 'new');
  mkdirSync(join(release, 'deployer'), { recursive: true });
  writeFileSync(join(release, 'deployer', 'main.ts'), 'new');
  writeFileSync(join(release, 'run'), 'run', { mode: 0o755 });
  symlinkSync('run', join(release, 'link'));
  mkdirSync(join(home, 'dependencies', 'key', 'node_modules', 'one'), { recursive: true });
  writeFileSync(join(home, 'dependencies', 'key', 'node_modules', 'one', 'index.js'), 'one');
  const tree = treeId(await entriesIn(release, LIKE), LIKE);
  symlinkSync('../../dependencies/key/node_modules', join(release, 'node_modules'));
  cpSync(release, join(home, 'releases', tree), { recursive: true, verbatimSymlinks: true });
  await makeReadOnly(join(home, 'releases', tree));
  note(home, 'old');
  return { home, upgrades, tree };
}

/** The state as a deployer leaves it that is killed: what it wrote is in the log beside it. */
function note(home: string, value: string): void {
  const file = join(home, 'state.sqlite');
  const copy = join(home, 'written.sqlite');
  const state = new Database(file);
  state.pragma('journal_mode = WAL');
  state.exec('CREATE TABLE IF NOT EXISTS notes (value TEXT)');
  state.prepare('INSERT INTO notes VALUES (?)').run(value);
  for (const suffix of ['', '-wal']) cpSync(`${file}${suffix}`, `${copy}${suffix}`);
  state.close();
  for (const suffix of ['', '-wal']) cpSync(`${copy}${suffix}`, `${file}${suffix}`);
  for (const suffix of ['', '-wal']) rmSync(`${copy}${suffix}`);
}

function notes(file: string): string[] {
  const state = new Database(file, { fileMustExist: true });
  try {
    expect(state.pragma('integrity_check', { simple: true })).toBe('ok');
    return state.prepare('SELECT value FROM notes').pluck().all() as string[];
  } finally {
    state.close();
  }
}

type Kill = { n: number; when: 'before' | 'after' };
/** Whether it came to its end. */
async function run(
  step: 'put' | 'before-start',
  { home, upgrades }: Host,
  kill: Kill,
  name = '',
): Promise<boolean> {
  const argv = [KILLED, step, home, upgrades.directory, upgrades.installed, String(kill.n), kill.when, name];
  try {
    await promisify(execFile)(process.execPath, argv);
    return true;
  } catch (error) {
    if ((error as { signal?: string }).signal === 'SIGKILL') return false;
    throw error;
  }
}

/** The start after that, which nobody kills. */
const begin = (machine: Host) => beforeStart({ ...machine, put: (name) => put(name, machine) });

/** Does it once for each change, killed there; `attempt` says whether it came to its end. */
async function atEachChange(attempt: (kill: Kill) => Promise<boolean>): Promise<number> {
  for (let n = 0; ; n++) {
    const isOver = await attempt({ n, when: 'before' });
    if (isOver) return n;
    await attempt({ n, when: 'after' });
  }
}

const isWhole = async ({ upgrades }: Host, tree: string) =>
  treeId(await entriesIn(join(upgrades.directory, tree), tree), tree) === tree &&
  existsSync(join(upgrades.directory, tree, 'node_modules', 'one', 'index.js'));

const trialTo = (tree: string, starts: number) => ({
  from: INSTALLED,
  to: tree,
  identity: 'i',
  commit: 'c',
  environment: 'prod',
  starts,
  back: null,
});

describe('a kill at any change of a file', () => {
  it('while a new deployer is put in place: what ran or the new one is chosen, wholly', async () => {
    const changes = await atEachChange(async (kill) => {
      const machine = await host();
      const isOver = await run('put', machine, kill, machine.tree);
      expect(chosen(machine.upgrades) === INSTALLED || (await isWhole(machine, machine.tree))).toBe(true);
      await put(machine.tree, machine);
      expect(chosen(machine.upgrades)).toBe(machine.tree);
      expect(await isWhole(machine, machine.tree)).toBe(true);
      return isOver;
    });
    expect(changes).toBeGreaterThan(8);
  });

  it('before its first start: the state is kept before the new deployer may see it', async () => {
    const changes = await atEachChange(async (kill) => {
      const machine = await host();
      const { home, upgrades, tree } = machine;
      await put(tree, machine);
      await writeTrial(home, trialTo(tree, 0));
      const isOver = await run('before-start', machine, kill);
      const kept = join(home, 'upgrade', 'state.sqlite');
      const isStarted = (await readTrial(home))?.starts === 1;
      expect(isStarted ? notes(kept) : ['old']).toEqual(['old']);
      await begin(machine);
      expect([chosen(upgrades), notes(kept), notes(join(home, 'state.sqlite'))]).toEqual([
        tree,
        ['old'],
        ['old'],
      ]);
      return isOver;
    });
    expect(changes).toBeGreaterThan(4);
  });

  it('while it is taken back: the one before runs, with the state before', async () => {
    const changes = await atEachChange(async (kill) => {
      const machine = await host();
      const { home, upgrades, tree } = machine;
      await put(tree, machine);
      await writeTrial(home, trialTo(tree, 0));
      for (let start = 1; start <= 2; start++) await begin(machine);
      note(home, 'new');
      expect(notes(join(home, 'state.sqlite'))).toEqual(['old', 'new']);
      note(home, 'newer');
      const isOver = await run('before-start', machine, kill);
      await begin(machine);
      expect([chosen(upgrades), notes(join(home, 'state.sqlite'))]).toEqual([INSTALLED, ['old']]);
      expect(await readTrial(home)).toBeNull();
      expect(await readFailures(home)).toMatchObject([
        { tree, told: false, cause: expect.stringContaining('2 times') },
      ]);
      return isOver;
    });
    expect(changes).toBeGreaterThan(8);
  });
});

describe('before a start', () => {
  it('an upgrade that was not put in place is forgotten', async () => {
    const { home, upgrades, tree } = await host();
    await writeTrial(home, trialTo(tree, 0));
    await begin({ home, upgrades });
    expect([await readTrial(home), await readFailures(home), chosen(upgrades)]).toEqual([
      null,
      [],
      INSTALLED,
    ]);
  });

  it('a state that cannot be kept is not shown to the new deployer', async () => {
    const machine = await host();
    const { home, upgrades, tree } = machine;
    await put(tree, machine);
    await writeTrial(home, trialTo(tree, 0));
    rmSync(join(home, 'state.sqlite-wal'));
    writeFileSync(join(home, 'state.sqlite'), 'this is no database, and long enough to be looked at as one');
    await begin(machine);
    expect(chosen(upgrades)).toBe(INSTALLED);
    expect(await readFailures(home)).toMatchObject([{ cause: expect.stringContaining('could not be kept') }]);
  });
});

describe('a release that is put in place', () => {
  it('is for nobody to write, and goes back to what root installed', async () => {
    const machine = await host();
    await put(machine.tree, machine);
    const link = join(machine.upgrades.directory, 'current', 'deployer', 'main.ts');
    expect(existsSync(link)).toBe(true);
    await put(INSTALLED, machine);
    expect(chosen(machine.upgrades)).toBe(INSTALLED);
  });

  it.each<[string, (release: string, home: string) => void, RegExp]>([
    ['holds another tree', (release) => writeFileSync(join(release, 'run'), 'changed'), /holds another tree/],
    ['holds something more', (release) => writeFileSync(join(release, 'more'), ''), /holds another tree/],
    [
      'has dependencies from elsewhere',
      (release, home) => {
        rmSync(join(release, 'node_modules'));
        mkdirSync(join(home, 'elsewhere'));
        symlinkSync(join(home, 'elsewhere'), join(release, 'node_modules'));
      },
      /dependencies .* are not the deployer's/,
    ],
  ])('is refused when it %s', async (_, change, why) => {
    const { home, upgrades, tree } = await host();
    const release = join(home, 'releases', tree);
    await promisify(execFile)('chmod', ['-R', 'u+w', release]);
    change(release, home);
    await expect(put(tree, { home, upgrades })).rejects.toThrow(why);
    expect(chosen(upgrades)).toBe(INSTALLED);
  });

  it.each(['../../etc', 'current', ''])('is never called %j', async (name) => {
    const { home, upgrades } = await host();
    await expect(put(name, { home, upgrades })).rejects.toThrow('is not the id of a tree');
    await expect(choose(upgrades, name)).rejects.toThrow(TypeError);
  });
});
