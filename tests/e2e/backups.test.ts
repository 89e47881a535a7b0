import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Stage, waitFor } from '../kit/daemon.ts';
import { Load } from '../kit/load.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const HOUR = 3_600_000;
/** The earlier release cannot read the notes any more once they have moved. */
const MOVED: SampleMigration = {
  up: ['ALTER TABLE notes RENAME TO remarks'],
  down: ['ALTER TABLE remarks RENAME TO notes'],
  touches: ['notes', 'remarks'],
};

const EXTRA: SampleMigration = {
  up: ['CREATE TABLE extra (x)'],
  down: ['DROP TABLE extra'],
  touches: ['extra'],
};
/** As the datatracker's own: `up` does not build on what this tree does not have. */
const STRICT = `if (verb === 'up' && applied.some((name) => known.every((one) => one.name !== name)))
  error = { migration: applied.at(-1), message: 'is unknown here', location: null };
else if (verb === 'up') {`;

let stage: Stage;
const operations = () => stage.daemon.operations;
const backups = () => join(stage.home, 'backups', 'dev');
const texts = async () =>
  ((await stage.get('dev', '/notes')).body as { text: string }[]).map((note) => note.text);
const restore = async (id: string | null) =>
  stage.outcome(await operations().restoreBackup('dev', id, { by: 'alice' }));
const rollback = async (more: object = {}) =>
  stage.outcome(
    await operations().rollback({ environment: 'dev', target: { last: true }, by: 'alice', ...more }),
  );
const deployed = async (message: string, files: Record<string, string>) => {
  const commit = await stage.push('dev', message, files);
  expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed', cause: null });
};
const dropped = async (): Promise<{ action: string; row: { text: string } }[]> => {
  const names = (await readdir(backups())).filter((name) => name.endsWith('.jsonl'));
  const lines = await Promise.all(
    names.map(async (name) => (await readFile(join(backups(), name), 'utf8')).trim().split('\n')),
  );
  return lines
    .flat()
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};
/** Flips one bit in the middle of the backup's database. */
const damage = async (id: string) => {
  const file = join(backups(), id, 'database.sqlite3.zst');
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
};

/** A backup of the live database with one table under another name. */
const backupOfRenamed = async (table: string): Promise<string> => {
  const file = join(stage.home, 'data', 'dev', 'current', 'notes.db');
  const database = new DatabaseSync(file);
  database.exec(`ALTER TABLE ${table} RENAME TO renamed`);
  const { id } = await operations().createBackup('dev', { by: 'alice' });
  database.exec(`ALTER TABLE renamed RENAME TO ${table}`);
  database.close();
  return id;
};

afterEach(() => stage.strike());

describe('a restore', () => {
  beforeEach(async () => {
    stage = await Stage.set();
    await stage.start();
    await stage.allLive();
  });

  it('is a transaction under writes: none that was answered is lost, and its undo brings all back', async () => {
    await stage.post('dev', 'before');
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    const load = new Load({ port: stage.ports.dev, rate: 60, writes: 0.5 });
    const moreWrites = (than: number) =>
      waitFor('some writes', async () => (load.acknowledged.length > than + 5 ? true : undefined));
    await moreWrites(0);
    const restored = await restore(id);
    await moreWrites(load.acknowledged.length);
    await load.stop();
    expect(restored).toMatchObject({ kind: 'restore', outcome: 'ok' });
    expect(restored.cause).toMatch(new RegExp(`^restored backup ${id}; \\d+ changes since then were saved`));
    expect(restored.suites.map(({ name }) => name)).toContain('routes');
    expect(load.failed).toEqual([]);
    const kept = await texts();
    const lost = (await dropped()).map(({ row }) => row.text);
    expect(kept[0]).toBe('before');
    expect([...lost, ...kept.slice(1)].toSorted()).toEqual(load.acknowledged.toSorted());

    const undone = await rollback();
    expect(undone).toMatchObject({ kind: 'rollback', outcome: 'ok' });
    expect(undone.cause).toMatch(new RegExp(`^undid the restore of backup ${id}; \\d+ changes since then`));
    expect((await texts()).toSorted()).toEqual(['before', ...lost].toSorted());
    expect((await dropped()).map(({ row }) => row.text)).toEqual(expect.arrayContaining(kept.slice(1)));
    const { quarantined } = await operations().environment('dev');
    expect(quarantined).toEqual([]);
    await expect(rollback()).rejects.toThrow(/there is no earlier release in dev/);
  });

  it('without an id means the newest backup, not the one that a restore took of what it replaced', async () => {
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'since');
    const asked = await restore(null);
    const again = await restore(null);
    for (const { cause } of [asked, again]) expect(cause).toMatch(new RegExp(`^restored backup ${id};`));
    expect(await texts()).toEqual([]);
  });

  it('brings back the uploads too when the backup was made with the files', async () => {
    const upload = join(stage.home, 'files', 'dev', 'upload');
    await writeFile(upload, 'uploaded');
    const { id, kind } = await operations().createBackup('dev', { full: true, by: 'alice' });
    expect(kind).toBe('manual');
    await rm(upload);
    expect(await restore(id)).toMatchObject({ outcome: 'ok' });
    expect(await readFile(upload, 'utf8')).toBe('uploaded');
  });

  it('is undone also after a later deployment was taken back', async () => {
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'since');
    await restore(id);
    expect(await texts()).toEqual([]);
    await deployed('Two', { 'behaviour.json': behaviour({ version: 'two' }) });
    expect(await rollback()).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual([]);
    expect(await rollback()).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['since']);
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
  });

  it('brings an older backup to the schema of the live release, and refuses a newer one', async () => {
    await stage.post('dev', 'old');
    const { id: older } = await operations().createBackup('dev', { by: 'alice' });
    await deployed('Moved', {
      'migrations/002_moved.json': JSON.stringify(MOVED),
      'behaviour.json': behaviour({ version: 'moved', table: 'remarks' }),
    });
    await stage.post('dev', 'new');
    const { id: newer } = await operations().createBackup('dev', { by: 'alice' });
    expect(await restore(older)).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['old']);
    expect(await rollback()).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['old', 'new']);
    expect(await rollback()).toMatchObject({ outcome: 'ok' });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'one' } });
    expect(await restore(newer)).toMatchObject({
      outcome: 'refused',
      cause: expect.stringContaining(
        'has the schema of 002_moved, which the live release does not have',
      ) as string,
    });
    expect(await texts()).toEqual(['old', 'new']);
  });

  it('and a drill are of use where the live release came back alone, onto a schema that its own migrations refuse', async () => {
    const program = await stage.repository.git('show', 'HEAD:migrate.mjs');
    await deployed('Strict', { 'migrate.mjs': program.replace("if (verb === 'up') {", STRICT) });
    await deployed('Another table', { 'migrations/003_extra.json': JSON.stringify(EXTRA) });
    expect(await rollback()).toMatchObject({ outcome: 'ok' });
    await stage.post('dev', 'since');
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    // The rollback is told before it is put away.
    const drilled = await waitFor('a drill', () =>
      operations()
        .drill('dev', id, 'alice')
        .catch(() => undefined),
    );
    expect(drilled).toMatchObject({ success: true });
    await stage.post('dev', 'dropped');
    expect(await restore(id)).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['since']);
  });

  it('of a damaged backup fails before anything waits for it, and says what is damaged', async () => {
    await stage.post('dev', 'before');
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'after');
    expect(await operations().verifyBackup('dev', id)).toMatchObject({ id, kind: 'manual', success: true });
    await damage(id);
    const found = await operations().verifyBackup('dev', id);
    expect(found.success).toBe(false);
    expect(found.checks.find(({ success }) => !success)).toMatchObject({ name: 'database.sqlite3.zst' });
    const failed = await restore(null);
    expect(failed).toMatchObject({
      outcome: 'failed',
      cause: expect.stringContaining(`the backup ${id} is damaged: database.sqlite3.zst`) as string,
    });
    expect(failed.stages.find(({ name }) => name === 'hold')).toMatchObject({ state: 'skipped' });
    expect(await texts()).toEqual(['before', 'after']);
    await expect(operations().exportBackup('dev', id, new PassThrough())).rejects.toThrow(/is damaged/);
    await appendFile(join(backups(), id, 'manifest.json'), ' ');
    expect(await operations().problems()).toEqual([expect.stringContaining(`the backup ${id} is damaged`)]);
    await expect(operations().verifyBackup('dev', '2020-01-01_00-00-00')).rejects.toThrow(
      /there is no backup 2020-01-01_00-00-00 of dev/,
    );
  });

  it('on which the live release fails changes nothing; one whose kept data is gone is undone from the backup before it', async () => {
    await stage.post('dev', 'before');
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'after');
    // The live release fails on what the backup holds: its table is not there.
    const broken = await backupOfRenamed('notes');
    const failed = await restore(broken);
    expect(failed).toMatchObject({
      outcome: 'failed',
      cause: expect.stringContaining('no such table: notes') as string,
    });
    expect(await dropped()).toEqual([]);
    expect(await texts()).toEqual(['before', 'after']);
    expect(await restore(id)).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['before']);
    const data = join(stage.home, 'data', 'dev');
    const current = await readlink(join(data, 'current'));
    for (const name of await readdir(data))
      if (name !== current && name !== 'current') await rm(join(data, name), { recursive: true });
    expect(await rollback()).toMatchObject({
      outcome: 'refused',
      cause: expect.stringMatching(/is not kept any more; --restore-backup returns to \d{4}-/) as string,
    });
    expect(await rollback({ restoreBackup: true })).toMatchObject({ outcome: 'ok' });
    expect(await texts()).toEqual(['before', 'after']);
  });
});

describe('a restore that fails after it went live', () => {
  it('is taken back with the data from before it, and saves what was written meanwhile', async () => {
    stage = await Stage.set({ cutover: { hold: '20s', settle: '30s' } });
    await stage.repository.commit('Fragile', {
      'behaviour.json': JSON.stringify({ version: 'one', crashLater: true }),
    });
    await stage.repository.push('HEAD:dev', 'HEAD:main');
    await stage.start();
    await stage.allLive();
    await stage.post('dev', 'before');
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'after');
    const restoring = await operations().restoreBackup('dev', id, { by: 'alice' });
    await waitFor('the switch', async () => {
      const { liveAt } = await operations().deployment(restoring.id);
      return liveAt ?? undefined;
    });
    expect(await texts()).toEqual(['before']);
    expect(await stage.post('dev', 'meanwhile')).toBe(201);
    await fetch(`http://127.0.0.1:${stage.ports.dev}/crash-later`).catch(() => null);
    expect(await stage.outcome(restoring)).toMatchObject({
      outcome: 'failed',
      cause: expect.stringContaining('settle: the process ended') as string,
    });
    expect(await texts()).toEqual(['before', 'after']);
    expect((await dropped()).map(({ row }) => row.text)).toEqual(['meanwhile']);
    expect(await stage.post('dev', 'goes on')).toBe(201);
  });
});

describe('a drill', () => {
  it('verifies the live release on a backup beside what is live, leaves nothing, and a failed one is told', async () => {
    stage = await Stage.set();
    await stage.start();
    await stage.allLive();
    await expect(operations().drill('dev', null, 'alice')).rejects.toThrow(/there is no backup of dev yet/);
    await stage.post('dev', "it's one");
    const { id } = await operations().createBackup('dev', { by: 'alice' });
    await stage.post('dev', 'two');
    const report = await operations().drill('dev', null, 'alice');
    expect(report).toMatchObject({ id, kind: 'manual', success: true });
    expect(report.suites.map(({ name }) => name)).toEqual(['backup', 'drill', 'routes']);
    expect(await stage.daemon.tools.instances.get('dev', 'drill')).toBeNull();
    expect(existsSync(join(stage.home, 'scratch', '.drill', 'data', 'dev'))).toBe(false);
    expect(await texts()).toEqual(["it's one", 'two']);
    expect(await operations().problems()).toEqual([]);
    expect((await operations().audit('dev')).entries[0]).toMatchObject({
      action: 'drilled backup',
      detail: id,
    });

    const stream = new PassThrough();
    const [sql] = await Promise.all([text(stream), operations().exportBackup('dev', null, stream)]);
    expect(sql).toContain("'it''s one'");
    expect(sql).toMatch(/COMMIT;\n$/);

    const unknown = await backupOfRenamed('applied_migrations');
    const failed = await operations().drill('dev', unknown, 'alice');
    expect(failed).toMatchObject({ success: false });
    expect(failed.suites.map(({ name }) => name)).toEqual(['backup', 'drill']);
    expect(failed.suites[1]?.checks).toMatchObject([
      { name: 'restore', success: true },
      { name: 'migrate', success: false, actual: expect.stringContaining('already exists') as string },
    ]);

    await damage(id);
    expect(await operations().drill('dev', id, 'alice')).toMatchObject({ success: false });
    expect(await operations().problems()).toEqual([
      expect.stringContaining(`dev: the last drill failed: backup ${id}: backup: database.sqlite3.zst`),
    ]);
  });
});

describe('a drill whose daemon dies', () => {
  it('leaves the fingerprint of the data too where the next start clears away', async () => {
    stage = await Stage.set();
    const own = await readFile(new URL('../kit/sample/verify.mjs', import.meta.url), 'utf8');
    await stage.repository.commit('Tells where the baseline is', {
      'verify.mjs': own.replace("hint: 'see server.mjs'", 'hint: String(process.argv)'),
    });
    await stage.repository.push('HEAD:dev', 'HEAD:main');
    await stage.start();
    await stage.allLive();
    await operations().createBackup('dev', { by: 'alice' });
    const { suites } = await operations().drill('dev', null, 'alice');
    const hints = suites.flatMap(({ checks }) => checks).map(({ hint }) => hint);
    expect(hints.filter((hint) => hint?.includes(`--baseline,${stage.home}/scratch/.drill/`))).toHaveLength(
      2,
    );
    expect(await readdir(join(stage.home, 'scratch', '.drill', 'data'))).toEqual([]);
    expect(await readdir(join(stage.home, 'scratch', '.drill'))).toEqual(['data']);
  });
});

describe('the schedule', () => {
  const schedule = { database: '1h', full: '1d' };
  let now: Date;
  const pass = async (ms: number) => {
    now = new Date(now.getTime() + ms);
    await stage.daemon.schedule.look();
  };
  const looked = (condition: () => Promise<boolean>) =>
    waitFor('the schedule', async () => {
      await stage.daemon.schedule.look();
      return (await condition()) ? true : undefined;
    });
  const kinds = async () => (await operations().backups('dev')).map(({ kind }) => kind).toReversed();

  beforeEach(async () => {
    stage = await Stage.set({ backups: { schedule } });
    now = new Date('2026-11-20T12:00:00Z');
    await stage.start({ clock: () => now });
    await stage.allLive();
    // A deployment's own end may still be under way when its outcome is there.
    await looked(async () => (await kinds()).length > 0);
  });

  it('makes backups by the hour and by the day, files and all, and a drill by the week, once each', async () => {
    const file = join(stage.home, 'files', 'dev', 'ab', 'upload');
    expect(await kinds()).toEqual(['full']);
    await pass(0.9 * HOUR);
    expect(await kinds()).toEqual(['full']);
    await pass(0.2 * HOUR);
    expect(await kinds()).toEqual(['full', 'database']);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'uploaded');
    await pass(23 * HOUR);
    expect(await kinds()).toEqual(['full', 'database', 'full']);
    // A restart neither forgets nor repeats.
    await stage.daemon.stop();
    await stage.start({ clock: () => now });
    await stage.allLive();
    await pass(0);
    expect(await kinds()).toEqual(['full', 'database', 'full']);

    const full = (await operations().backups('dev'))[0];
    await rm(file);
    await writeFile(join(file, '..', 'later'), 'came since');
    expect(await restore(full?.id ?? '')).toMatchObject({ outcome: 'ok' });
    expect(await readFile(file, 'utf8')).toBe('uploaded');
    expect(await readFile(join(file, '..', 'later'), 'utf8')).toBe('came since');

    const drills = async () =>
      (await operations().audit('dev')).entries.filter(({ action }) => action === 'drilled backup');
    expect(await drills()).toEqual([]);
    await pass(7 * 24 * HOUR);
    await looked(async () => (await drills()).length > 0);
    expect(await drills()).toMatchObject([{ actor: 'schedule' }]);
    // The full one of eight days ago and the hourly one are gone.
    expect((await kinds()).filter((kind) => kind !== 'before-deploy')).toEqual(['full', 'full']);
    expect(await operations().problems()).toEqual([]);
    await pass(0);
    expect(await drills()).toHaveLength(1);
  });
});
