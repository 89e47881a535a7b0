import { describe, expect, it } from 'vitest';
import { emptyDeployment } from '../../integration/web/fake-operations.ts';
import { ago, duration, shortCommit, subject } from '../../../deployer/web/format.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_900, '59.9 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h 0 min'],
    [11_400_000, '3 h 10 min'],
  ])('of %i ms is written %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('how long ago', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  it.each([
    ['2026-11-20T11:59:31Z', 'just now'],
    ['2026-11-20T12:00:09Z', 'just now'],
    ['2026-11-20T11:55:00Z', '5 min ago'],
    ['2026-11-20T09:00:00Z', '3 h ago'],
    ['2026-11-08T12:00:00Z', '12 d ago'],
    ['not a time', 'just now'],
  ])('%s is written %s', (time, text) => {
    expect(ago(time, now)).toBe(text);
  });
});

it('a commit is shortened to eight digits', () => {
  expect(shortCommit('1f2e3d4c5b6a79880f1e')).toBe('1f2e3d4c');
});

describe('what a deployment is', () => {
  it.each([
    ['deploy', 'deploy of 1f2e3d4c to dev'],
    ['rehearsal', 'rehearsal of 1f2e3d4c for dev'],
    ['rollback', 'rollback of dev to 1f2e3d4c'],
    ['restore', 'restore of dev to 1f2e3d4c'],
  ] as const)('is said for a %s', (kind, text) => {
    expect(subject({ ...emptyDeployment('d1'), kind })).toBe(text);
  });
});
