import type { Verb } from './arguments.ts';
import { MigrationError } from './failure.ts';

/** What the tree and the database say; both oldest first. */
export interface State {
  known: string[];
  applied: string[];
}

export function pendingOf({ known, applied }: State): string[] {
  return known.filter((name) => !applied.includes(name));
}

/** @throws {MigrationError} when the database has a migration that the tree does not know */
export function refuseUnknown(state: State): void {
  const [unknown] = unknownOf(state);
  if (unknown !== undefined) throw new MigrationError(unknown, UNKNOWN, null);
}

/** A release that was taken back onto a newer schema is no error as long as nothing has to be migrated. */
export function mentionUnknown(state: State, log: (line: string) => void): void {
  for (const name of unknownOf(state)) log(`${name} ${UNKNOWN}`);
}

const UNKNOWN =
  'is applied to the database, but this tree does not have it: migrate with the release that does';

function unknownOf({ known, applied }: State): string[] {
  return applied.filter((name) => !known.includes(name));
}

/**
 * The migrations to run, in running order.
 * @throws {MigrationError} when `to` does not exist or lies in the other direction
 */
export function plan(verb: Verb, to: string | null, state: State): string[] {
  if (verb === 'status') return [];
  if (to !== null && to !== 'none' && !state.known.includes(to)) {
    throw new MigrationError(to, `does not exist; there are: ${state.known.join(', ') || 'none'}`, null);
  }
  return verb === 'up' ? planUp(to, state) : planDown(to, state);
}

function planUp(to: string | null, state: State): string[] {
  const pending = pendingOf(state);
  if (to === null) return pending;
  const newer = state.applied.filter((name) => isNewer(name, to));
  if (newer.length > 0) {
    throw new MigrationError(
      to,
      `cannot be the newest: ${newer.join(', ')} is applied already; use down`,
      null,
    );
  }
  return pending.filter((name) => !isNewer(name, to));
}

function planDown(to: string | null, { applied, known }: State): string[] {
  const newestFirst = known.filter((name) => applied.includes(name)).toReversed();
  if (to === null) return newestFirst.slice(0, 1);
  if (to !== 'none' && !applied.includes(to)) {
    throw new MigrationError(to, 'is not applied, so nothing can be taken back to it; use up', null);
  }
  return newestFirst.filter((name) => isNewer(name, to));
}

function isNewer(name: string, to: string): boolean {
  return to === 'none' || name > to;
}
