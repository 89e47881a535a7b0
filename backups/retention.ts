import type { Backup } from './create.ts';
import { newestFirst, timeOf } from './names.ts';

const HOUR = 3_600_000;
/** How long a scheduled backup stays, and at least what a restore dropped. */
const AGE = { database: 48 * HOUR, full: 7 * 24 * HOUR, dropped: 7 * 24 * HOUR } as const;
/** `<backup>.dropped-<id of the deployment, which begins with its time in UTC>.jsonl`, and `.added-….json`: files put back. */
const DROPPED = /^(.+)\.(?:dropped|added)-(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})-/;

export interface Retention {
  /** How many before-deploy ones stay. */
  keep: number;
  now: Date;
  /** When ages are told, if not now: a clock that was set ahead makes nothing old. */
  agedAt?: Date;
}

/**
 * The backups that may go, newest first: all but the newest `keep` before-deploy ones, hourly ones of 48 hours and
 * daily full ones of 7 days. Manual ones stay for ever.
 */
export function expendable(backups: readonly Backup[], { keep, now, agedAt = now }: Retention): Backup[] {
  const byId = new Map(backups.map((backup) => [backup.id, backup]));
  const sorted = newestFirst([...byId.keys()], now).flatMap((id) => byId.get(id) ?? []);
  const kept = new Set(sorted.filter(({ kind }) => kind === 'before-deploy').slice(0, keep));
  return sorted.filter((backup) => {
    if (backup.kind === 'manual') return false;
    if (backup.kind === 'before-deploy') return !kept.has(backup);
    return agedAt.getTime() - timeOf(backup.id) > AGE[backup.kind];
  });
}

/** Of the names in a directory of backups: what restores dropped, whose backup is gone, and not just now. */
export function expendableDropped(names: readonly string[], agedAt: Date): string[] {
  return names.filter((name) => {
    const [, backup = '', ...time] = DROPPED.exec(name) ?? [];
    if (time.length === 0 || names.includes(backup)) return false;
    const [year, month, day, hour, minute, second] = time;
    const dropped = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    return agedAt.getTime() - dropped > AGE.dropped;
  });
}
