import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../problem.ts';

/** A repository with more files of refs than that is asked by git. */
const MOST_FILES = 500;

/**
 * A text that is another one whenever a branch or a tag was written meanwhile, be it with what it held before: git never
 * changes a file of refs, it renames a new one into its place. Costs no process. null: git has to be asked.
 */
export function refsState(repository: string): string | null {
  if (existsSync(join(repository, 'reftable'))) return null;
  const files = [
    'packed-refs',
    ...filesBelow(repository, 'refs/heads'),
    ...filesBelow(repository, 'refs/tags'),
  ];
  if (files.length > MOST_FILES) return null;
  return files.map((file) => `${file} ${identity(join(repository, file))}`).join('\n');
}

function filesBelow(repository: string, directory: string): string[] {
  return unlessMissing([], () =>
    readdirSync(join(repository, directory), { withFileTypes: true, recursive: true })
      .filter((item) => !item.isDirectory())
      .map((item) => join(item.parentPath.slice(repository.length + 1), item.name))
      .toSorted(),
  );
}

function identity(file: string): string {
  return unlessMissing('none', () => {
    const { ino, mtimeNs, size } = lstatSync(file, { bigint: true });
    return [ino, mtimeNs, size].join(' ');
  });
}

/** A ref may be deleted while we look. */
function unlessMissing<T>(missing: T, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing;
    throw error;
  }
}
