import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const DAY = 86_400_000;

const AUDIT_LOG: SampleMigration = {
  up: [
    'CREATE TABLE audit_log (id INTEGER PRIMARY KEY, at TEXT, actor_id TEXT, deployment_id TEXT, request_id TEXT, table_name TEXT, row_id TEXT, action TEXT)',
  ],
  down: ['DROP TABLE audit_log'],
  touches: ['audit_log'],
};
/** The earlier release cannot read the notes any more once they have moved. */
const MOVED: SampleMigration = {
  up: ['ALTER TABLE notes RENAME TO remarks'],
  down: ['ALTER TABLE remarks RENAME TO notes'],
  touches: ['notes', 'remarks'],
};

describe('while a deployment settles', () => {
  /** How far the clock has been set ahead, in milliseconds. */
  let wrong = 0;
  const stage = liveForAll(
    { cutover: { hold: '20s', settle: '20s' } },
    {
      files: { 'migrations/002_audit.json': JSON.stringify(AUDIT_LOG) },
      clock: () => new Date(Date.now() + wrong),
    },
  );

  const live = async (commit: string) =>
    waitFor(`${commit.slice(0, 8)} to be live`, async () =>
      (await stage.daemon.operations.environment('dev')).live?.commit === commit ? true : undefined,
    );

  it('an error rate worse than before takes it back', async () => {
    const commit = await stage.push('dev', 'Broken once live', {
      'behaviour.json': behaviour({ version: 'broken', homeLive: 500 }),
    });
    await live(commit);
    for (let count = 0; count < 30; count += 1) await stage.get('dev');
    const deployment = await stage.ended('dev', commit);
    expect(deployment).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringMatching(
        /^settle: \d+ of \d+ requests failed since the switch, before it \d+\.\d %$/,
      ) as string,
    });
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
    const { live: now, quarantined } = await stage.daemon.operations.environment('dev');
    expect(now?.commit).not.toBe(commit);
    expect(quarantined).toContain(commit);
  });

  it('a few requests are enough where all of them fail', async () => {
    const commit = await stage.push('dev', 'Broken, with few visitors', {
      'behaviour.json': behaviour({ version: 'broken again', homeLive: 500 }),
    });
    await live(commit);
    for (let count = 0; count < 5; count += 1) await stage.get('dev');
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringMatching(/^settle: 5 of 5 requests failed since the switch/) as string,
    });
  });

  it('a health that comes and goes takes it back', async () => {
    const commit = await stage.push('dev', 'Well at times', {
      'behaviour.json': behaviour({ version: 'at times', sickLive: 'at times' }),
    });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rolled_back',
      cause: 'settle: GET /_deploy/health answered 503, expected 200',
    });
  });

  it('its end takes it back, and the report says in which line it ended', async () => {
    const commit = await stage.push('dev', 'Ends once live', {
      'behaviour.json': behaviour({ version: 'ends', throwLive: true }),
    });
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringMatching(
        /^settle: the process ended after it went live: server\.mjs:\d+: Error: planted: it ends once live$/,
      ) as string,
    });
  });

  it.each([
    ['', true],
    [', also of a program that names no deployment and whose clock was set back,', 'nameless'],
  ] as const)(
    'a write that no request caused%s takes it back, and the report names table and row',
    async (_, rogue) => {
      const commit = await stage.push('dev', 'A rogue', {
        'behaviour.json': behaviour({ version: `rogue ${rogue}`, rogue }),
      });
      expect(await stage.ended('dev', commit)).toMatchObject({
        outcome: 'rolled_back',
        cause: expect.stringMatching(
          /^settle: 1 rows of notes \(the last: \d+\) written without a request$/,
        ) as string,
      });
    },
  );

  it('code and schema are taken back together, and what visitors wrote meanwhile stays', async () => {
    await stage.post('dev', 'before');
    const commit = await stage.push('dev', 'Moved and broken', {
      'behaviour.json': behaviour({ version: 'moved', table: 'remarks', homeLive: 500 }),
      'migrations/003_moved.json': JSON.stringify(MOVED),
    });
    await live(commit);
    expect(await stage.post('dev', 'meanwhile')).toBe(201);
    for (let count = 0; count < 30; count += 1) await stage.get('dev');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'rolled_back' });
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
    const { body } = await stage.get('dev', '/notes');
    expect(body).toContainEqual(expect.objectContaining({ text: 'before' }));
    expect(body).toContainEqual(expect.objectContaining({ text: 'meanwhile' }));
    // A database that was replaced gives its room on the disk back.
    const open = await readdir('/proc/self/fd');
    const files = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    expect(files.filter((file) => file.startsWith(stage.home) && file.endsWith('(deleted)'))).toEqual([]);
    await stage.repository.commit('Without it', { 'migrations/003_moved.json': null });
  });

  it('what is deployed after a migration that stayed comes back to that migration, and not to before it', async () => {
    const broken = async (message: string, files: Record<string, string | null>) => {
      const commit = await stage.push('dev', message, files);
      await live(commit);
      for (let count = 0; count < 30; count += 1) await stage.get('dev');
      return stage.ended('dev', commit);
    };
    const extra: SampleMigration = {
      up: ['CREATE TABLE extra (x)'],
      down: ['DROP TABLE extra'],
      touches: ['extra'],
    };
    const first = await broken('Another table, and broken', {
      'behaviour.json': behaviour({ version: 'extra', homeLive: 500 }),
      'migrations/003_extra.json': JSON.stringify(extra),
    });
    expect(first).toMatchObject({ outcome: 'rolled_back' });
    const second = await broken('Moved without it, and broken', {
      'behaviour.json': behaviour({ version: 'moved again', table: 'remarks', homeLive: 500 }),
      'migrations/003_extra.json': null,
      'migrations/004_moved.json': JSON.stringify(MOVED),
    });
    expect(second).toMatchObject({ outcome: 'rolled_back' });
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
    await stage.repository.commit('Without it', { 'migrations/004_moved.json': null });
  });

  it('a clock that is set a day ahead does not end it, and one that is set back does not prolong it', async () => {
    const broken = await stage.push('dev', 'Broken a day later', {
      'behaviour.json': behaviour({ version: 'late', homeLive: 500 }),
    });
    await live(broken);
    wrong = DAY;
    // Time for some looks.
    await sleep(1500);
    for (let count = 0; count < 30; count += 1) await stage.get('dev');
    expect(await stage.ended('dev', broken)).toMatchObject({ outcome: 'rolled_back' });
    const file = await readFile(join(stage.repository.directory, 'environments/dev.yaml'), 'utf8');
    const short = await stage.push('dev', 'A short one', {
      'behaviour.json': behaviour({ version: 'short' }),
      'environments/dev.yaml': file.replace('settle: 20s', 'settle: 2s'),
    });
    await live(short);
    wrong = -DAY;
    expect(await stage.ended('dev', short)).toMatchObject({ outcome: 'deployed' });
    await stage.repository.commit('As before', { 'environments/dev.yaml': file });
  });

  it('a newer commit that waits cuts it short', async () => {
    const first = await stage.push('dev', 'Five', {
      'behaviour.json': behaviour({ version: 'five' }),
    });
    await live(first);
    const second = await stage.push('dev', 'Six', { 'behaviour.json': behaviour({ version: 'six' }) });
    expect(await stage.ended('dev', first)).toMatchObject({ outcome: 'deployed' });
    await live(second);
  });

  it('a down that was seen to lose rows is not run: a person is asked, and what visitors wrote stays', async () => {
    await stage.post('dev', 'before');
    const down = ['CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)', 'DROP TABLE remarks'];
    const commit = await stage.push('dev', 'Loses and broken', {
      'behaviour.json': behaviour({ version: 'loses', table: 'remarks', homeLive: 500 }),
      'migrations/005_moved.json': JSON.stringify({ ...MOVED, down }),
    });
    await live(commit);
    expect(await stage.post('dev', 'written on it')).toBe(201);
    for (let count = 0; count < 30; count += 1) await stage.get('dev');
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'needs_attention',
      cause: expect.stringContaining('005_moved has no down that restores all') as string,
    });
    const { body } = await stage.get('dev', '/notes');
    expect(body).toContainEqual(expect.objectContaining({ text: 'written on it' }));
  });
});
