import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copyTree } from '../../../deployer/deployment/rehearsal/copy-tree.ts';
import { temporaryDirectory } from '../data/fixture.ts';

const root = temporaryDirectory();
const most = { files: Infinity, bytes: Infinity };
const { signal } = new AbortController();

it('a tree is copied with its modes, links and empty directories', async () => {
  const from = join(root, 'from');
  mkdirSync(join(from, 'empty'), { recursive: true });
  writeFileSync(join(from, 'small'), 'small', { mode: 0o640 });
  writeFileSync(join(from, 'large'), Buffer.alloc(9_000_000, 'large'));
  symlinkSync('small', join(from, 'link'));
  const to = join(root, 'to');
  const copied = await copyTree(from, to, { most, signal });
  expect([...copied.keys()].toSorted()).toEqual(['large', 'small']);
  expect(readFileSync(join(to, 'large'))).toEqual(readFileSync(join(from, 'large')));
  expect([readFileSync(join(to, 'link'), 'utf8'), readlinkSync(join(to, 'link'))]).toEqual([
    'small',
    'small',
  ]);
  expect(statSync(join(to, 'small')).mode & 0o777).toBe(0o640);
  expect(statSync(join(to, 'empty')).isDirectory()).toBe(true);
});

// As one that is cut off while it is copied. Files of the kernel's are 4096 bytes long, and end sooner.
const SHORTER = '/sys/kernel/mm/transparent_hugepage';

it.skipIf(!existsSync(SHORTER))('a file that is shorter than it says keeps nobody waiting', async () => {
  const to = join(root, 'shorter');
  await copyTree(SHORTER, to, { most, signal });
  expect(readFileSync(join(to, 'enabled'), 'utf8')).toContain('never');
});
