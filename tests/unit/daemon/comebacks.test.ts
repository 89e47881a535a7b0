import { expect, test } from 'vitest';
import { Comebacks } from '../../../deployer/daemon/comebacks.ts';

test('the first comeback is at once; each further one waits twice as long, a minute at most', () => {
  const comebacks = new Comebacks();
  let now = 1_000_000;
  const pauses = Array.from({ length: 9 }, () => {
    const pause = comebacks.pause('dev', now);
    now += pause;
    expect(comebacks.pause('dev', now)).toBe(0);
    comebacks.note('dev', now);
    return pause / 1000;
  });
  expect(pauses).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
  expect(comebacks.pause('prod', now)).toBe(0);
});

test('one that has lived long since is started again at once', () => {
  const comebacks = new Comebacks();
  for (let count = 0; count < 5; count++) comebacks.note('dev', 0);
  expect(comebacks.pause('dev', 10_000)).toBe(6000);
  expect(comebacks.pause('dev', 80_000)).toBe(0);
  expect(comebacks.count('dev')).toBe(0);
});
