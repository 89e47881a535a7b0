import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runDirectory } from '../../deployer/host/run-directory.ts';
import { waitFor } from '../kit/daemon.ts';
import { Ordeal, steps } from '../kit/ordeal.ts';

/** Three deaths in one deployment: it is begun again twice, and then given up. */
const triples = (stages: string[]) => {
  const all = [
    ...stages.flatMap((stage) => [`in ${stage}`, `did ${stage}`]),
    'in switch',
    'after phase switching',
  ];
  const third = all.length / 3;
  return all
    .slice(0, third)
    .map((first, index) => [first, all[index + third] ?? '', all[index + 2 * third] ?? '']);
};

describe.each([
  {
    what: 'code alone',
    migration: false,
    // What comes before these is the same with a migration.
    stages: ['boot', 'verify'],
    switched: 'after point',
  },
  {
    what: 'a migration',
    migration: true,
    stages: ['fetch', 'release', 'rehearse', 'backup', 'hold', 'migrate', 'boot', 'verify'],
    switched: 'after switchTo',
  },
])('a deployment of $what, with visitors, when the daemon is killed', ({ migration, stages, switched }) => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set({ backups: { 'before-deploy': true } });
  });
  beforeEach(() => void ordeal.open());
  afterAll(() => ordeal.machine.strike());

  it.each(triples(stages))('%s, %s and %s, leaves what was live untouched each time', async (...names) => {
    const { version } = await ordeal.machine.visit();
    const { files } = ordeal.next({ migration });
    expect(await ordeal.push(files, steps(...names))).toMatchObject({
      outcome: 'rejected',
      cause: 'the deployer died 3 times during this deployment',
    });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('each time before it has noted what it had started, leaves no instance that nobody knows', async () => {
    const { machine } = ordeal;
    const before = machine.instances();
    const { files } = ordeal.next({ migration });
    const kills = steps('before put', 'before put', 'before put');
    expect(await ordeal.push(files, kills)).toMatchObject({ outcome: 'rejected' });
    expect(machine.instances().filter((pid) => !before.includes(pid))).toEqual([]);
  });

  it('between any two effects of the switch and after it, is live in the end', async () => {
    const { version, files } = ordeal.next({ migration });
    const switching = ['after phase switching', switched, 'after setCurrent', 'in settle', 'did settle'];
    const kills = steps(...switching, 'in finish', 'did finish', 'after finish deployed');
    expect(await ordeal.push(files, kills)).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('after the switch while its rehearsal is cleared away, leaves nothing of that', async () => {
    const { machine } = ordeal;
    const { version, files } = ordeal.next({ migration });
    machine.arm({ step: 'in settle' });
    const commit = await machine.push('A change', files);
    await machine.reached();
    const { running } = await machine.status();
    await machine.kill();
    // As an instance leaves it that was killed a moment before the deployer was.
    const socket = join(runDirectory(machine.home).of('dev'), `rehearsal-${running?.id.slice(-6)}.sock`);
    await writeFile(socket, '');
    await machine.boot();
    expect(await machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
    expect(existsSync(socket)).toBe(false);
    expect(await ordeal.findings({ version })).toEqual([]);
  });

  it('again and again while it recovers, is live in the end', async () => {
    const { version, files } = ordeal.next({ migration });
    const removal = migration ? ['before remove', 'after remove'] : [];
    const kills = steps('did verify', 'before letGo', 'after letGo', ...removal, 'before restart');
    expect(await ordeal.push(files, kills)).toMatchObject({ outcome: 'deployed' });
    expect(await ordeal.findings({ version })).toEqual([]);
  });
});

describe('a job of the release that was live', () => {
  let ordeal: Ordeal;
  beforeAll(async () => {
    ordeal = await Ordeal.set();
  });
  afterAll(() => ordeal.machine.strike());

  it.each([['before switchTo'], ['after switchTo'], ['after setCurrent'], ['in settle']])(
    'loses nothing that it stores while the daemon is dead %s',
    async (step) => {
      const { machine } = ordeal;
      const { files: jobs } = ordeal.next({ background: 10 });
      await ordeal.push(jobs, []);
      await machine.atRest();
      await waitFor('the job to store something', async () => machine.ticks().length > 10 || undefined);
      ordeal.open();
      const { version, files } = ordeal.next({ migration: true });
      machine.arm({ step });
      const commit = await machine.push('A migration', files);
      await machine.killAt({ step });
      // Long enough for whatever the job waits for.
      await sleep(1000);
      await machine.boot();
      expect(await machine.ended(commit)).toMatchObject({ outcome: 'deployed' });
      expect(await ordeal.findings({ version })).toEqual([]);
      expect(machine.ticks().length).toBeGreaterThan(10);
    },
  );
});
