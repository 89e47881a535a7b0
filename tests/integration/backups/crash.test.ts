import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { backupJobs } from '../../../backups/jobs.ts';
import { isBackupId, sweepTemporaries } from '../../../backups/names.ts';
import { kill, startProgram } from '../data/child.ts';
import { temporaryDirectory } from '../data/fixture.ts';
import { makeSource, never, randomNumbers } from './fixture.ts';

test('a process that is killed while it makes backups leaves none that does not verify', async () => {
  const source = makeSource(temporaryDirectory());
  const random = randomNumbers(7);
  const verified = new Set<string>();
  let interrupted = 0;
  for (let round = 0; round < 10; round++) {
    const { child, nextLine } = startProgram(`
      import { createBackup } from '../../../backups/create.ts';
      const { now, ...options } = ${JSON.stringify(source)};
      for (;;) {
        await createBackup({ ...options, now: new Date(now) }, new AbortController().signal);
        console.log('made');
      }
    `);
    await nextLine();
    // The moment is the test: anywhere within the next backup or two.
    await wait(random() * 120);
    await kill(child);
    const names = existsSync(source.directory) ? readdirSync(source.directory) : [];
    interrupted += names.filter((name) => !isBackupId(name)).length;
    for (const id of names.filter((name) => isBackupId(name) && !verified.has(name))) {
      const checks = await backupJobs.verify({ directory: source.directory, id }, never);
      expect(checks.filter(({ success }) => !success)).toEqual([]);
      verified.add(id);
    }
  }
  expect(interrupted).toBeGreaterThan(0);
  expect(verified.size).toBeGreaterThan(0);
  await sweepTemporaries(source.directory);
  expect(new Set(readdirSync(source.directory))).toEqual(verified);
});
