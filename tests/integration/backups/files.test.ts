import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  addFiles,
  closeBackupThreads,
  createBackup,
  describeBackup,
  removeAdded,
} from '../../../backups/index.ts';
import { backupJobs } from '../../../backups/jobs.ts';
import { temporaryDirectory } from '../data/fixture.ts';
import { makeSource, never } from './fixture.ts';

const root = temporaryDirectory();
afterAll(closeBackupThreads);

test('adding the files of a backup puts back what is missing and touches nothing that is there', async () => {
  const home = join(root, 'a');
  mkdirSync(home);
  const source = makeSource(home);
  const { id } = await createBackup({ ...source, signal: never });
  const toDirectory = join(home, 'in-use');
  mkdirSync(toDirectory);
  writeFileSync(join(toDirectory, 'one.txt'), 'changed since');
  writeFileSync(join(toDirectory, 'later'), 'came since');
  // What a process left that was killed in the middle.
  mkdirSync(join(home, '.in-use.tmp-4194304000-1-1'));
  expect(await addFiles({ directory: source.directory, id, toDirectory, list: null })).toEqual({
    added: 2,
    kept: 1,
  });
  expect(readFileSync(join(toDirectory, 'one.txt'), 'utf8')).toBe('changed since');
  expect(readFileSync(join(toDirectory, 'later'), 'utf8')).toBe('came since');
  expect(readdirSync(join(toDirectory, 'sub'))).toEqual(readdirSync(join(home, 'files', 'sub')));
  expect(readlinkSync(join(toDirectory, 'link'))).toBe('one.txt');
  expect(
    await backupJobs.addFiles({ directory: source.directory, id, toDirectory, list: null }, never),
  ).toEqual({
    added: 0,
    kept: 3,
  });
  expect(readdirSync(home).filter((name) => name.includes('.tmp-'))).toEqual([]);
});

test('what was added is removed again, and what a visitor has written since in its place is not', async () => {
  const home = join(root, 'c');
  mkdirSync(home);
  const source = makeSource(home);
  const { id } = await createBackup({ ...source, signal: never });
  const toDirectory = join(home, 'in-use');
  const list = join(home, 'added.json');
  mkdirSync(join(toDirectory, 'sub'), { recursive: true });
  writeFileSync(join(toDirectory, 'later'), 'came since');
  expect(await addFiles({ directory: source.directory, id, toDirectory, list })).toEqual({
    added: 3,
    kept: 0,
  });
  rmSync(join(toDirectory, 'one.txt'));
  writeFileSync(join(toDirectory, 'one.txt'), 'written since');
  await removeAdded(list, toDirectory);
  expect(readdirSync(toDirectory)).toEqual(['later', 'one.txt', 'sub']);
  expect(readdirSync(join(toDirectory, 'sub'))).toEqual([]);
  expect(existsSync(list)).toBe(false);
});

test('files of a damaged backup are not added, and a damaged manifest describes nothing', async () => {
  const home = join(root, 'b');
  mkdirSync(home);
  const source = makeSource(home);
  const { id } = await createBackup({ ...source, signal: never });
  expect(await describeBackup({ directory: source.directory, id })).toMatchObject({
    id,
    archive: { bytes: 50_003 },
  });
  const archive = join(source.directory, id, 'files.tar.zst');
  writeFileSync(archive, readFileSync(archive).subarray(1));
  const toDirectory = join(home, 'in-use');
  await expect(addFiles({ directory: source.directory, id, toDirectory, list: null })).rejects.toThrow(
    /is damaged: files.tar.zst is not as it was written/,
  );
  expect(readdirSync(toDirectory)).toEqual([]);
  writeFileSync(join(source.directory, id, 'manifest.json'), '{}');
  await expect(describeBackup({ directory: source.directory, id })).rejects.toThrow(
    /its manifest cannot be read/,
  );
});
