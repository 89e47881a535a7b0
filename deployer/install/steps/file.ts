import { lstat, readFile, rm } from 'node:fs/promises';
import { writeAtomically } from '../../release/files.ts';
import type { Host } from '../host.ts';
import type { Reload, Step } from '../step.ts';
import { describe, ownershipDiffers, setOwnership, type Ownership } from './ownership.ts';

export interface TextFile extends Partial<Ownership> {
  path: string;
  content: string;
  /** It is the maintainer's once it is there: only its mode is ours. */
  isTheirs?: string;
  reloads?: Reload;
}

const ROOTS: Ownership = { owner: 'root', group: 'root', mode: 0o644 };

export function file(host: Host, wanted: TextFile): Step {
  const { path, content, isTheirs, reloads } = wanted;
  const ownership = { ...ROOTS, ...wanted };
  return {
    title: `file ${path}, ${describe(ownership)}`,
    made: { kind: 'file', path, keeps: isTheirs ?? null },
    ...(reloads && { reloads }),
    async check() {
      const actual = await readFile(path, 'utf8').catch(() => null);
      if (actual === null) return 'missing';
      if (actual !== content && isTheirs === undefined) return 'its text is another';
      return ownershipDiffers(host, path, ownership);
    },
    async apply() {
      const isThere = (await lstat(path).catch(() => null)) !== null;
      if (!isThere || isTheirs === undefined) await writeAtomically(path, content, ownership.mode);
      await setOwnership(host, path, ownership);
    },
  };
}

export function withoutFile(path: string, reloads?: Reload): Step {
  return {
    title: `remove file ${path}`,
    made: null,
    ...(reloads && { reloads }),
    check: async () => ((await lstat(path).catch(() => null)) === null ? null : 'there'),
    apply: () => rm(path, { force: true }),
  };
}
