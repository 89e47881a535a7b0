import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { codeOf, FailedError } from '../../problem.ts';
import { removeTree } from '../../release/files.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';
import { describe, ownershipDiffers, setOwnership, type Ownership } from './ownership.ts';

export interface Directory extends Ownership {
  path: string;
  /** What is in it and outlives the deployer unless it is purged: `data and backups`. */
  keeps?: string;
}

export function directory(host: Host, wanted: Directory): Step {
  const { path, keeps } = wanted;
  return {
    title: `directory ${path}, ${describe(wanted)}`,
    made: { kind: 'directory', path, keeps: keeps ?? null },
    async check() {
      const found = await lstat(path).catch(() => null);
      if (found === null) return 'missing';
      if (!found.isDirectory()) return 'it is no directory';
      return ownershipDiffers(host, path, wanted);
    },
    async apply() {
      const found = await lstat(path).catch(() => null);
      if (found !== null && !found.isDirectory()) {
        throw new FailedError(`${path} is there and no directory: move it away`);
      }
      await mkdir(path, { recursive: true });
      await setOwnership(host, path, wanted);
    },
  };
}

/** @param withContent else it stays when others have put something into it */
export function withoutDirectory(path: string, withContent: boolean): Step {
  return {
    title: `remove directory ${path}${withContent ? ' with all that is in it' : ''}`,
    made: null,
    check: async () => ((await lstat(path).catch(() => null)) === null ? null : 'there'),
    async apply() {
      if (withContent) return removeTree(path);
      try {
        await rmdir(path);
      } catch (error) {
        if (codeOf(error) !== 'ENOTEMPTY') throw error;
        throw new FailedError(`${path} is not empty: look what is there, then remove it`, { cause: error });
      }
    },
  };
}
