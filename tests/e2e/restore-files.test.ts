import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { liveForEach } from '../kit/live-stage.ts';

const stage = liveForEach();
/** An upload that is in the backup, and was removed since. */
let upload: string;
let backup: string;
beforeEach(async () => {
  const files = join(stage.home, 'files', 'dev');
  await mkdir(files, { recursive: true });
  upload = join(files, 'upload.txt');
  await writeFile(upload, 'of a visitor');
  ({ id: backup } = await stage.daemon.operations.createBackup('dev', { full: true, by: 'alice' }));
  await rm(upload);
});

const restore = async () =>
  stage.outcome(await stage.daemon.operations.restoreBackup('dev', backup, { by: 'alice' }));

const lists = async () =>
  (await readdir(join(stage.home, 'backups', 'dev'))).filter((name) => name.includes('.added-'));

it('a restore puts a file back that is missing, and its undo removes it again', async () => {
  expect(await restore()).toMatchObject({ outcome: 'ok' });
  expect(existsSync(upload)).toBe(true);
  const undo = await stage.daemon.operations.rollback({
    environment: 'dev',
    target: { last: true },
    by: 'alice',
  });
  expect(await stage.outcome(undo)).toMatchObject({ outcome: 'ok' });
  expect(existsSync(upload)).toBe(false);
  expect(await lists()).toEqual([]);
});

it('a restore that fails in its rehearsal, where it was tried with the file, puts nothing back', async () => {
  const program = await stage.repository.git('show', 'HEAD:server.mjs');
  const unlessMissing =
    "import * as look from 'node:fs';\nif (look.existsSync(`${process.env.FILES_DIR}/upload.txt`)) throw new Error('the file is there');\n";
  const commit = await stage.push('dev', 'Fails with the file', {
    'server.mjs': `${unlessMissing}${program}`,
  });
  expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  expect(await restore()).toMatchObject({
    outcome: 'failed',
    cause: expect.stringContaining('the file is there') as string,
  });
  expect(existsSync(upload)).toBe(false);
  expect(await lists()).toEqual([]);
});
