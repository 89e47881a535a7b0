import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digest } from '../../../backups/large.ts';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { makeDatabase, temporaryDirectory } from '../data/fixture.ts';
import { never } from './fixture.ts';

const file = join(temporaryDirectory(), 'live.db');
makeDatabase(file);

test('a large database is digested in a thread of its own, to the same as a small one', async () => {
  const large = await digest(file, never, 0);
  expect(large).toEqual(await digest(file, never));
  expect(large).toEqual(dataJobs.fingerprint(file));
});

test('nobody digests what is not wanted any more', async () => {
  const signal = AbortSignal.abort(new Error('a newer commit'));
  await expect(digest(file, signal, 0)).rejects.toThrow('a newer commit');
});

test('the digests that a damaged database cannot give are refused with the reason', async () => {
  await expect(digest(import.meta.filename, never, 0)).rejects.toThrow('file is not a database');
});
