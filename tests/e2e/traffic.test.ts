import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAtRandom } from '../kit/chance.ts';
import { waitFor } from '../kit/daemon.ts';
import { MOVED, Ordeal } from '../kit/ordeal.ts';

const run = promisify(execFile);

describe('visitors', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ cutover: { hold: '6s', settle: '1s' } });
  });
  afterAll(() => ordeal.machine.strike());

  it.each([
    ['code alone', { migration: false }],
    ['a migration', { migration: true }],
  ])(
    'notice nothing of a deployment of %s, and of a job that writes by itself nothing is lost',
    async (_, more) => {
      const { version, files } = ordeal.next({ ...more, background: 20 });
      ordeal.open({ rate: 100, writes: 0.2 });
      expect(await ordeal.push(files, [])).toMatchObject({ outcome: 'deployed' });
      const later = ordeal.next({ ...more, background: 20 });
      expect(await ordeal.push(later.files, [])).toMatchObject({ outcome: 'deployed' });
      expect(version).not.toBe(later.version);
      expect(await ordeal.findings({ version: later.version })).toEqual([]);
      expect(ordeal.machine.ticks().length).toBeGreaterThan(10);
    },
  );

  it.each([
    ['code alone', { migration: false }],
    ['a migration', { migration: true }],
  ])('whose writes take longer than a switch lose none by a deployment of %s', async (_, more) => {
    const { version, files } = ordeal.next(more);
    ordeal.open({ rate: 40, writes: 0.5, slowMs: 1200 });
    expect(await ordeal.push(files, [])).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('are let go when the hold is lost, and the cutover is tried again', async () => {
    const { version, files } = ordeal.next({ migration: true });
    ordeal.open();
    ordeal.machine.steps = [];
    ordeal.machine.arm({ step: 'did migrate' });
    const commit = await ordeal.machine.push('Held twice', files);
    await ordeal.machine.reached();
    await ordeal.machine.letGo();
    await expect
      .poll(() => ordeal.machine.links())
      .toEqual({ live: ordeal.machine.links().live, write: ordeal.machine.links().live });
    ordeal.machine.go();
    expect(await ordeal.machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
    expect(ordeal.machine.steps.filter((step) => step === 'in hold')).toHaveLength(2);
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('are let go when another process keeps the database, and what is live is untouched', async () => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ migration: true });
    ordeal.machine.arm({ step: 'before hold' });
    const commit = await ordeal.machine.push('Locked out', files);
    await ordeal.machine.reached();
    const other = new DatabaseSync(ordeal.machine.database());
    other.exec('BEGIN IMMEDIATE');
    ordeal.machine.go();
    const ended = await ordeal.machine.ended(commit).finally(() => other.close());
    expect(ended).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringContaining('the database of dev is locked by another process') as string,
    });
    ordeal.open();
    await waitFor('a write', async () => (ordeal.open().acknowledged.length > 0 ? true : undefined));
    expect(await ordeal.findings({ version })).toEqual([]);
  });
});

describe('a process that is killed', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ cutover: { hold: '20s', settle: '2s' } });
  });
  afterAll(() => ordeal.machine.strike());

  const slots = () => {
    const live = ordeal.machine.links().live.replace('.sock', '');
    return { live, idle: live === 'blue' ? 'green' : 'blue' };
  };
  const kill = (pids: number[]) => {
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  };

  /** Kills at a step of a deployment; reads go on meanwhile, and none of them fails. */
  async function killDuring(step: string, migration: boolean, whom: () => number[]) {
    const before = await ordeal.machine.visit();
    const { version, files } = ordeal.next({ migration });
    ordeal.machine.arm({ step });
    const commit = await ordeal.machine.push(`A death at ${step}`, files);
    await ordeal.machine.reached();
    kill(whom());
    ordeal.machine.go();
    return { before: before.version, version, ended: await ordeal.machine.ended(commit) };
  }

  it.each(['in rehearse', 'did hold'])(
    'is the live instance, %s: it is started again at once, and the deployment goes on',
    async (step) => {
      ordeal.open({ writes: 0 });
      const { version, ended } = await killDuring(step, true, () => ordeal.machine.instances(slots().live));
      expect(ended).toMatchObject({ outcome: 'deployed' });
      expect(await ordeal.findings({ version })).toEqual([]);
    },
  );

  it.each(['in verify', 'after phase switching'])(
    'is the new instance, %s: the deployment is rejected',
    async (step) => {
      ordeal.open();
      const { before, ended } = await killDuring(step, true, () => ordeal.machine.instances(slots().idle));
      expect(ended).toMatchObject({ outcome: 'rejected' });
      expect(await ordeal.findings({ version: before })).toEqual([]);
    },
  );

  it.each([
    ['the new instance once it is live', () => ordeal.machine.instances(slots().live)],
    ['the new instance, and the earlier one that was kept warm', () => ordeal.machine.instances()],
  ])('is %s: the deployment is rolled back, and reads do not fail', async (_, whom) => {
    ordeal.open({ writes: 0 });
    const { before, ended } = await killDuring('in settle', false, whom);
    expect(ended).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringContaining('the process ended') as string,
    });
    expect(await ordeal.findings({ version: before })).toEqual([]);
  });

  it.each([
    ['before drained', true],
    ['did migrate', true],
    ['in settle', false],
  ])('is the front door, %s: it is back at once, and the deployment goes on', async (step, migration) => {
    const { version, ended } = await killDuring(step, migration, () => [ordeal.machine.frontDoor()]);
    expect(ended).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('is the front door before a switch: no job of the new release stores anything that is lost with its data', async () => {
    const { machine } = ordeal;
    const { version, files } = ordeal.next({ migration: true, background: 1 });
    machine.arm({ step: 'in switch' });
    machine.steps = [];
    const commit = await machine.push('A death before the switch', files);
    await machine.reached();
    kill([machine.frontDoor()]);
    machine.go();
    expect(await machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
    expect(machine.steps.filter((step) => step === 'in switch')).toHaveLength(2);
    ordeal.open();
    await waitFor('a write', async () => (ordeal.open().acknowledged.length > 0 ? true : undefined));
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('is the starter of programs while a migration runs: the deployment is begun anew', async () => {
    const { machine } = ordeal;
    const { version, files } = ordeal.next({ migration: true });
    ordeal.open();
    machine.steps = [];
    const program = await machine.repository.git('show', 'HEAD:migrate.mjs');
    const once = join(machine.home, 'once');
    const commit = await machine.push('Cut off', { ...files, 'migrate.mjs': `${lastsOnce(once)}${program}` });
    await waitFor('a migration', async () => existsSync(once) || undefined);
    const running = await waitFor('its process', async () => machine.running('migrate.mjs'));
    process.kill(running.program, 'SIGSTOP');
    kill([running.starter, running.program]);
    expect(await machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
    expect(machine.steps.filter((step) => step === 'after restart')).toHaveLength(1);
    expect(await ordeal.findings({ version })).toEqual([]);
  });
});

describe('a process that is killed in a rollback', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ cutover: { hold: '20s', settle: '0s' } });
  });
  afterAll(() => ordeal.machine.strike());

  const live = () => ordeal.machine.links().live.replace('.sock', '');
  const idle = () => (live() === 'blue' ? 'green' : 'blue');
  const PROCESSES = {
    'the instance that is live': () => ordeal.machine.instances(live()),
    'the earlier instance': () => ordeal.machine.instances(idle()),
    'the front door': () => [ordeal.machine.frontDoor()],
  };
  type Who = keyof typeof PROCESSES;

  /** Goes back from the next release, and kills at a step. What is killed in the middle of a request fails that one. */
  async function goBack(how: 'by pointer' | 'over down', who: Who, step: string) {
    const { machine } = ordeal;
    const { version: earlier } = await machine.visit();
    const moved = how === 'over down';
    const { version, files } = ordeal.next(moved ? { table: 'remarks' } : {});
    const more = moved ? { 'migrations/999_moved.json': JSON.stringify(MOVED) } : {};
    expect(await ordeal.push({ ...files, ...more }, [])).toMatchObject({ outcome: 'deployed' });
    const serves = who === 'the instance that is live' || step === 'after point';
    if (who !== 'the front door') ordeal.open(serves ? { writes: 0 } : {});
    machine.arm({ step });
    await machine.rollback();
    await machine.reached();
    const pids = PROCESSES[who]();
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    machine.go();
    await machine.atRest();
    await waitFor('the front door', () => machine.visit().catch(() => undefined));
    return { earlier, version };
  }

  it.each([
    ['by pointer', 'the instance that is live', 'after phase switching'],
    ['by pointer', 'the earlier instance', 'did boot'],
    ['by pointer', 'the earlier instance', 'after point'],
    ['by pointer', 'the front door', 'after phase switching'],
    ['over down', 'the instance that is live', 'did migrate'],
    ['over down', 'the front door', 'did migrate'],
  ] as const)('%s, %s, %s: the earlier release is live', async (how, who, step) => {
    const { earlier } = await goBack(how, who, step);
    expect(await ordeal.findings({ version: earlier, outcome: 'ok' })).toEqual([]);
  });

  it('over down, the earlier instance: the rollback fails, and nothing has changed', async () => {
    const { version } = await goBack('over down', 'the earlier instance', 'did verify');
    expect(await ordeal.findings({ version, outcome: 'failed' })).toEqual([]);
  });
});

describe('a daemon', () => {
  it('that is killed at random moments, also while it recovers, loses no request and no write', async () => {
    const ordeal = await Ordeal.set();
    try {
      ordeal.open();
      await killAtRandom(ordeal, { seed: 7, kills: 5 });
      expect(await ordeal.findings()).toEqual([]);
    } finally {
      await ordeal.machine.strike();
    }
  });
});

// Only root may mount.
describe.runIf(process.getuid?.() === 0)('a daemon whose disk is full', () => {
  let disk: Awaited<ReturnType<typeof smallDisk>>;
  let ordeal: Ordeal;
  const ballast = () => join(disk.path, 'ballast');
  beforeAll(async () => {
    disk = await smallDisk();
    ordeal = await Ordeal.set({ cutover: { hold: '20s', settle: '2s' } }, disk.path);
  });
  afterAll(async () => {
    await rm(ballast(), { force: true });
    await ordeal.machine.strike();
    await disk[Symbol.asyncDispose]();
  });

  it.each(['in rehearse', 'did hold'])(
    '%s: rejects, serves on, and deploys what comes once there is room',
    async (step) => {
      const { machine } = ordeal;
      const { version } = await machine.visit();
      const load = ordeal.open({ writes: 0 });
      machine.arm({ step });
      machine.steps = [];
      const commit = await machine.push('No room', ordeal.next({ migration: true }).files);
      await machine.reached();
      await fill(ballast());
      machine.go();
      const whileFull = await waitFor('its outcome, or that there is no room to note it', async () => {
        const { last } = await machine.status();
        if (last?.commit === commit) return last;
        return machine.steps.includes('before restart') ? null : undefined;
      });
      const seen = load.answers.length;
      await waitFor('visitors', async () => (load.answers.length > seen + 40 ? true : undefined));
      expect(await machine.visit()).toMatchObject({ version });
      expect(machine.links().write).toBe(machine.links().live);
      await rm(ballast());
      // Where not even the journal had room it is begun anew.
      const rejected = {
        outcome: 'rejected',
        cause: expect.stringMatching(/disk is full|no space/i) as string,
      };
      expect(await machine.ended(commit)).toMatchObject(whileFull ? rejected : { outcome: 'deployed' });
      const next = ordeal.next({ migration: true });
      expect(await ordeal.push(next.files, [])).toMatchObject({ outcome: 'deployed' });
      expect(await ordeal.findings({ version: next.version })).toEqual([]);
    },
  );

  it('while a release is to be taken back, does that once there is room, and loses nothing', async () => {
    const { machine } = ordeal;
    const { version } = await machine.visit();
    // There is room to note an outcome then, and none for a copy.
    storeNote(machine.database(), 'x'.repeat(4 * 1024 ** 2));
    ordeal.open({ writes: 0 });
    const { files } = ordeal.next({ sickLive: true, table: 'remarks' });
    machine.steps = [];
    machine.arm({ step: 'after phase reverting' });
    const commit = await machine.push('Sick', { ...files, 'migrations/2000.json': JSON.stringify(MOVED) });
    await machine.reached();
    await fill(ballast());
    await truncate(ballast(), (await stat(ballast())).size - 1024 ** 2);
    machine.go();
    await waitFor('it to be tried', async () => (machine.steps.includes('before letGo') ? true : undefined));
    await rm(ballast());
    expect(await machine.ended(commit)).toMatchObject({ outcome: 'rolled_back' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });
});

/** What has a program never end that runs for the first time, which the file tells. */
const lastsOnce = (file: string) => `
import { existsSync, writeFileSync } from 'node:fs';
if (!existsSync('${file}')) {
  writeFileSync('${file}', '');
  await new Promise(() => setInterval(() => {}, 1000));
}
`;

function storeNote(file: string, text: string): void {
  const database = new DatabaseSync(file);
  database.prepare('INSERT INTO notes (text) VALUES (?)').run(text);
  database.close();
}

/** A file system of 160 MB of its own. */
async function smallDisk(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Writes until there is no room. */
async function fill(file: string): Promise<void> {
  await writeFile(file, Buffer.alloc(1024 ** 3)).catch(() => undefined);
}
