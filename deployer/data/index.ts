import type { Environment } from '../../environments/schema.ts';
import { FailedError } from '../problem.ts';
import { sqliteGenerations } from './sqlite/generations.ts';
import type { Generations } from './types.ts';

export { closeDataThreads } from './sqlite/thread.ts';

/**
 * The generations of an environment's database below `home`; null when it has none.
 * @throws FailedError when its client is not supported
 */
export function openGenerations(home: string, { name, database }: Environment): Generations | null {
  if (database === undefined) return null;
  if (database.client === 'pg') {
    throw new FailedError(
      `environments/${name}.yaml: database.client: pg is not available yet; use better-sqlite3 with a file`,
    );
  }
  return sqliteGenerations({ home, environment: name, file: database.file });
}
