import { z } from 'zod';
import { openForReading, type Connection } from './open.ts';

/**
 * The first thing that is wrong inside a database file, as a sentence; null when there is none.
 * @param depth `quick` leaves out whether indexes match their tables, so that it costs one reading of the file
 */
export function firstProblem(file: string, depth: 'quick' | 'full'): string | null {
  try {
    const database = openForReading(file);
    try {
      return structureProblem(database, depth) ?? foreignKeyProblem(database);
    } finally {
      database.close();
    }
  } catch (error) {
    // A file that is damaged enough makes the check itself fail.
    return error instanceof Error ? error.message : String(error);
  }
}

function structureProblem(database: Connection, depth: 'quick' | 'full'): string | null {
  const check = depth === 'quick' ? 'quick_check(1)' : 'integrity_check(1)';
  const answer = z.string().parse(database.pragma(check, { simple: true }));
  return answer === 'ok' ? null : answer.replace(/\s+/g, ' ');
}

const violation = z.object({ table: z.string(), rowid: z.number().nullable(), parent: z.string() });

function foreignKeyProblem(database: Connection): string | null {
  const row = database.prepare('SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1').get();
  if (row === undefined) return null;
  const { table, rowid, parent } = violation.parse(row);
  const which = rowid === null ? 'a row' : `row ${rowid}`;
  return `${which} of ${table} refers to a row of ${parent} that is not there`;
}
