import type { Backup } from './create.ts';
import { timeOf } from './names.ts';

const HOUR = 3_600_000;
/** How long a scheduled backup stays. */
const AGE = { database: 48 * HOUR, full: 7 * 24 * HOUR } as const;

/**
 * The backups that may go, newest first: all but the newest `keep` before-deploy ones, hourly ones of 48 hours and
 * daily full ones of 7 days. Manual ones stay for ever.
 */
export function expendable(backups: readonly Backup[], { keep, now }: { keep: number; now: Date }): Backup[] {
  const newestFirst = [...backups].sort((a, b) => (a.id < b.id ? 1 : -1));
  const kept = new Set(newestFirst.filter(({ kind }) => kind === 'before-deploy').slice(0, keep));
  return newestFirst.filter((backup) => {
    if (backup.kind === 'manual') return false;
    if (backup.kind === 'before-deploy') return !kept.has(backup);
    return now.getTime() - timeOf(backup.id) > AGE[backup.kind];
  });
}
