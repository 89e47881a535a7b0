import { z } from 'zod';
import { openForReading, type Connection } from './open.ts';

/** Looks for one sort of problem; the first as a sentence, or null. */
export type Probe = (database: Connection) => string | null;

/** The first thing that is wrong with a database file, as a sentence; null when the probes find nothing. */
export function firstProblem(file: string, probes: readonly Probe[]): string | null {
  try {
    const database = openForReading(file);
    try {
      for (const probe of probes) {
        const problem = probe(database);
        if (problem !== null) return problem;
      }
      return null;
    } finally {
      database.close();
    }
  } catch (error) {
    // A file that is damaged enough makes the probe itself fail.
    return error instanceof Error ? error.message : String(error);
  }
}

/** Everything inside the file, and that indexes match their tables. */
export const integrity: Probe = (database) => ask(database, 'integrity_check(1)');

/** As `integrity` without matching the indexes: one reading of the file, 200 MB in about 100 ms. */
export const quickIntegrity: Probe = (database) => ask(database, 'quick_check(1)');

function ask(database: Connection, pragma: string): string | null {
  const answer = z.string().parse(database.pragma(pragma, { simple: true }));
  return answer === 'ok' ? null : answer.replace(/\s+/g, ' ');
}

const violation = z.object({ table: z.string(), rowid: z.number().nullable(), parent: z.string() });

export const foreignKeys: Probe = (database) => {
  const row = database.prepare('SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1').get();
  if (row === undefined) return null;
  const { table, rowid, parent } = violation.parse(row);
  const which = rowid === null ? 'a row' : `row ${rowid}`;
  return `${which} of ${table} refers to a row of ${parent} that is not there`;
};
