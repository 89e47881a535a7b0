import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bad, good, type Examine } from '../check.ts';

const GB = 1024 ** 3;
const LEAST_BYTES = GB;
const LEAST_SHARE = 0.05;

/** Room for the next releases, copies and backups, in bytes and in files. */
export const disk: Examine = async ({ home }) => {
  const { bavail, blocks, bsize, ffree, files } = await statfs(existing(home));
  const free = bavail * bsize;
  const least = Math.max(LEAST_BYTES, LEAST_SHARE * blocks * bsize);
  const hint = 'du -xh --max-depth=2 on it shows what is large; old backups: backups.keep of the environment';
  const name = `free space in ${home}`;
  const expected = `${gigabytes(least)} or more`;
  const space =
    free >= least
      ? good(name, gigabytes(free), expected)
      : bad(name, { expected, actual: gigabytes(free), hint });
  // Some file systems have no table of files that could fill.
  if (files === 0) return [space];
  const share = `${Math.round((100 * ffree) / files)} %`;
  const inodes = `free inodes in ${home}`;
  if (ffree >= LEAST_SHARE * files) return [space, good(inodes, share, '5 % or more')];
  return [space, bad(inodes, { expected: '5 % or more', actual: share, hint })];
};

function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

const gigabytes = (bytes: number) => `${(bytes / GB).toFixed(1)} GB`;
