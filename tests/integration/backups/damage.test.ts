import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { backupJobs } from '../../../backups/jobs.ts';
import { sql, temporaryDirectory } from '../data/fixture.ts';
import { backupAt, makeSource, never, randomNumbers } from './fixture.ts';

const root = temporaryDirectory();
const damaged = join(root, 'damaged');
const FILES = [
  'database.sqlite3.zst',
  'files.tar.zst',
  'config.json',
  'git-tag.txt',
  'manifest.json',
] as const;

let good: string;
let other: string;
beforeAll(async () => {
  const source = makeSource(root);
  good = join(source.directory, (await backupAt(source, '2026-11-20T07:08:09Z')).id);
  sql(source.databaseFile ?? '', "INSERT INTO pairs VALUES ('n', 9, 'new')");
  writeFileSync(join(root, 'files', 'one.txt'), 'two');
  const later = { ...source, config: { name: 'dev', keep: 2 }, gitTag: 'commit fed\n' };
  other = join(source.directory, (await backupAt(later, '2026-11-20T08:00:00Z')).id);
});

type Damage = (path: string, file: string, random: () => number) => void;

const DAMAGES: Record<string, Damage> = {
  'a flipped bit': (path, file, random) => {
    const bytes = readFileSync(join(path, file));
    const position = Math.floor(random() * bytes.length);
    bytes[position] = (bytes[position] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(join(path, file), bytes);
  },
  'a cut': (path, file, random) => {
    truncateSync(join(path, file), Math.floor(random() * readFileSync(join(path, file)).length));
  },
  'something added': (path, file) => writeFileSync(join(path, file), ' ', { flag: 'a' }),
  'a missing file': (path, file) => rmSync(join(path, file)),
  "another backup's file": (path, file) => cpSync(join(other, file), join(path, file)),
  'two files in the place of each other': (path, file, random) => {
    const rest = FILES.filter((name) => name !== file);
    const second = rest[Math.floor(random() * rest.length)] ?? 'manifest.json';
    renameSync(join(path, file), join(path, 'aside'));
    renameSync(join(path, second), join(path, file));
    renameSync(join(path, 'aside'), join(path, second));
  },
};

test('200 damaged backups are all found', async () => {
  const random = randomNumbers(20_261_120);
  const kinds = Object.entries(DAMAGES);
  const missed: string[] = [];
  const id = '2026-11-20_07-08-09';
  mkdirSync(damaged);
  for (let round = 0; round < 200; round++) {
    const [kind, damage] = kinds[round % kinds.length] ?? ['', () => {}];
    const file = FILES[Math.floor(random() * FILES.length)] ?? 'manifest.json';
    cpSync(good, join(damaged, id), { recursive: true });
    damage(join(damaged, id), file, random);
    const checks = await backupJobs.verify({ directory: damaged, id }, never);
    if (checks.every(({ success }) => success)) missed.push(`${kind} in ${file}`);
    rmSync(join(damaged, id), { recursive: true });
  }
  expect(missed).toEqual([]);
});

test('what was not damaged verifies', async () => {
  const id = '2026-11-20_07-08-09';
  cpSync(good, join(damaged, id), { recursive: true });
  const checks = await backupJobs.verify({ directory: damaged, id }, never);
  expect(checks.filter(({ success }) => !success)).toEqual([]);
});

test('a whole backup under the name of another is found', async () => {
  const id = '2026-11-20_09-00-00';
  cpSync(good, join(damaged, id), { recursive: true });
  const [manifest] = await backupJobs.verify({ directory: damaged, id }, never);
  expect(manifest).toMatchObject({
    name: 'manifest',
    success: false,
    actual: 'the manifest of 2026-11-20_07-08-09',
    location: join(id, 'manifest.json'),
  });
});

test('a manifest that tells other rows than the database holds is found', async () => {
  const { readManifest, writeManifest } = await import('../../../backups/manifest.ts');
  const path = join(damaged, '2026-11-20_07-08-09');
  const manifest = await readManifest(path);
  await writeManifest(path, {
    ...manifest,
    tables: { ...manifest.tables, extra: { rows: 1, digest: 'a'.repeat(64) } },
  });
  const checks = await backupJobs.verify({ directory: damaged, id: '2026-11-20_07-08-09' }, never);
  expect(checks.filter(({ success }) => !success)).toMatchObject([
    { name: 'database restores', actual: 'the table extra has no rows and digest none' },
  ]);
});
