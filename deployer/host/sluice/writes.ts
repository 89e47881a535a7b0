import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connectionsTo } from './connections.ts';
import { WRITES } from './links.ts';

/**
 * Writes that a web server has in flight at each instance, by the instance's socket; an instance for which it does not
 * listen is missing. They pass a listener of the web server's own for that instance, one connection each, and are
 * counted there: the server can be any, and has to tell nothing.
 */
export function writesIn(directory: string): Record<string, number> {
  const paths = namesIn(join(directory, WRITES)).map((name) => join(directory, WRITES, name));
  const counts = connectionsTo(paths);
  return Object.fromEntries(
    [...counts].map(([path, count]) => [path.slice(path.lastIndexOf('/') + 1), count]),
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
