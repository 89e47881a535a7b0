import { expect, it } from 'vitest';
import { isWorse } from '../../../deployer/deployment/error-rate.ts';

it.each([
  ['nobody came', 0, 0, 0, false],
  ['one in twenty fails, as it may', 1, 20, 0, false],
  ['two in twenty fail', 2, 20, 0, true],
  ['twice as many fail as before', 4, 20, 0.1, false],
  ['four times as many fail', 8, 20, 0.1, true],
  ['most of a few fail', 18, 19, 0, false],
  ['all of a few fail', 5, 5, 0, true],
  ['all of a few fail, as now and then before', 5, 5, 0.2, true],
  ['all of a few fail, as half did before', 5, 5, 0.5, false],
  ['all fail, but hardly anybody came', 4, 4, 0, false],
] as const)('when %s (%i of %i, before %f) it is worse: %s', (_, errors, requests, usual, worse) => {
  expect(isWorse({ requests, errors }, usual)).toBe(worse);
});
