import type { Fingerprint } from './types.ts';

/** Tables whose rows differ between two fingerprints, new and dropped ones included, sorted. */
export function differing(before: Fingerprint, after: Fingerprint): string[] {
  const tables = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...tables]
    .filter(
      (table) => before[table]?.digest !== after[table]?.digest || before[table]?.rows !== after[table]?.rows,
    )
    .toSorted();
}
