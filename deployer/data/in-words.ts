import type { Difference } from './types.ts';

/** Differences that are named in a report. */
const MOST_NAMED = 3;

/** What differs, in one line: the first of them, and how many more there are. */
export function inWords(differences: readonly Difference[]): string {
  const named = differences.slice(0, MOST_NAMED).map(({ sentence }) => sentence);
  const more = differences.length - named.length;
  return named.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
