import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tree that these migrations belong to; locations are relative to it. */
const root = path.dirname(import.meta.dirname);

/** As in the program's answer. `location` is `file:line` relative to the tree, where known. */
export interface Failure {
  migration: string | null;
  message: string;
  location: string | null;
}

/** A migration that cannot be loaded or run; `file` is the migration's, if it has one. */
export class MigrationError extends Error {
  readonly migration: string;
  readonly file: string | null;

  constructor(migration: string, message: string, file: string | null, options?: ErrorOptions) {
    super(message, options);
    this.migration = migration;
    this.file = file;
  }
}

export function describeFailure(error: unknown): Failure {
  if (!(error instanceof MigrationError)) {
    return {
      migration: null,
      message: error instanceof Error ? error.message : String(error),
      location: null,
    };
  }
  const { migration, message, file } = error;
  return { migration, message, location: file === null ? null : locate(file, error.cause) };
}

/** `file:line` of the innermost frame that lies in the migration's own file; without one, the file. */
function locate(file: string, cause: unknown): string {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  for (const [, url = '', line] of stack.matchAll(/(file:\/\/[^\s()]+?|\/[^\s():]+):(\d+)/g)) {
    if ((url.startsWith('file:') ? fileURLToPath(url) : url) === file) return `${relative(file)}:${line}`;
  }
  return relative(file);
}

function relative(file: string): string {
  const inTree = path.relative(root, file);
  return inTree.startsWith('..') ? file : inTree;
}
