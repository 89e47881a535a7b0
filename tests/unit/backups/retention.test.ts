import { describe, expect, test } from 'vitest';
import type { Backup } from '../../../backups/create.ts';
import { idAt, isBackupId, newestFirst, nextId, timeOf } from '../../../backups/names.ts';
import { expendable } from '../../../backups/retention.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const HOUR = 3_600_000;

const backup = (kind: Backup['kind'], hoursAgo: number): Backup => {
  const time = NOW.getTime() - hoursAgo * HOUR;
  return { id: idAt(time), kind, verifiedAt: new Date(time).toISOString() };
};

const ages = (backups: Backup[], keep: number) =>
  expendable(backups, { keep, now: NOW }).map(({ id }) => (NOW.getTime() - timeOf(id)) / HOUR);

describe('retention', () => {
  test('keeps the newest before-deploy backups, whatever their age', () => {
    const backups = [1000, 1, 3000, 2000].map((age) => backup('before-deploy', age));
    expect(ages(backups, 2)).toEqual([2000, 3000]);
  });

  test('keeps hourly backups for 48 hours', () => {
    expect(
      ages(
        [0, 47, 48, 49, 100].map((age) => backup('database', age)),
        1,
      ),
    ).toEqual([49, 100]);
  });

  test('keeps full backups for 7 days', () => {
    expect(
      ages(
        [24, 168, 169].map((age) => backup('full', age)),
        1,
      ),
    ).toEqual([169]);
  });

  test('takes those of the future, named by a clock that was wrong, for the oldest', () => {
    const backups = [-8760, 1, 2].map((age) => backup('before-deploy', age));
    expect(ages(backups, 2)).toEqual([-8760]);
    const all = backups.map(({ id }) => id);
    expect(newestFirst(all, NOW).map((id) => (NOW.getTime() - timeOf(id)) / HOUR)).toEqual([1, 2, -8760]);
  });

  test('lets nothing go because the clock was set a year ahead', () => {
    const backups = [0, 8760, 8761].map((age) => backup('full', age));
    const agedAt = new Date(NOW.getTime() - 8760 * HOUR);
    expect(expendable(backups, { keep: 1, now: NOW, agedAt })).toEqual([]);
  });

  test('keeps manual backups for ever', () => {
    expect(ages([backup('manual', 100_000)], 1)).toEqual([]);
  });
});

describe("a backup's name", () => {
  test('is its time in UTC to the second', () => {
    expect(idAt(Date.parse('2026-11-20T07:08:09.999Z'))).toBe('2026-11-20_07-08-09');
    expect(timeOf('2026-11-20_07-08-09')).toBe(Date.parse('2026-11-20T07:08:09Z'));
  });

  test('goes on with the next second, over the end of a year too', () => {
    expect(nextId('2026-12-31_23-59-59')).toBe('2027-01-01_00-00-00');
  });

  test.each(['2026-11-20', '../2026-11-20_07-08-09', '2026-13-20_07-08-09', '2026-11-20_07-08-09.tmp-1-2-3'])(
    'is not %s',
    (name) => expect(isBackupId(name)).toBe(false),
  );
});
