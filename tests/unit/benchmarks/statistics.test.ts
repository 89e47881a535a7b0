import { expect, it } from 'vitest';
import { judge } from '../../benchmarks/goals.ts';
import { parseOptions } from '../../benchmarks/options.ts';
import { median, ratio, rotated, summary } from '../../benchmarks/statistics.ts';
import { inTurns } from '../../benchmarks/turns.ts';

it('the median is the middle one, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 2, 4, 100])).toBe(7);
  expect(() => median([])).toThrow(/nothing was measured/);
});

it('a summary keeps every value in the order in which it was measured', () => {
  expect(summary([3.14, 1, 2])).toEqual({ median: 2, min: 1, max: 3.1, all: [3.1, 1, 2] });
});

it('a ratio is taken turn by turn, so that a slow spell of the machine falls out', () => {
  expect(ratio([20, 2000, 22], [10, 1000, 10])).toBe(2);
  expect(() => ratio([1], [1, 2])).toThrow(/1 values against 2/);
});

it('each goes first in its turn', () => {
  expect([0, 1, 2, 3].map((turn) => rotated(['a', 'b', 'c'], turn).join(''))).toEqual([
    'abc',
    'bca',
    'cab',
    'abc',
  ]);
});

it('everybody is measured in turns, and the first turn does not count', async () => {
  const order: string[] = [];
  const results = await inTurns([{ name: 'floor' }, { name: 'other' }], 2, ({ name }) => {
    order.push(name);
    const ms = (name === 'floor' ? 10 : 30) * (order.length <= 2 ? 100 : 1);
    return Promise.resolve({ ms, breakdown: [{ part: 'all', ms }] });
  });
  expect(order).toEqual(['floor', 'other', 'other', 'floor', 'floor', 'other']);
  expect(results['other']).toMatchObject({
    ms: { all: [30, 30] },
    timesFloor: 3,
    breakdown: [{ part: 'all', ms: 30 }],
  });
});

it('a goal that is missed names what dominates, the largest first; one that is reached names nothing', () => {
  const timed = (ms: number, timesFloor: number) => ({ ms: summary([ms]), timesFloor, breakdown: null });
  const parts = [
    { part: 'fetch', ms: 20 },
    { part: 'rehearse', ms: 400 },
  ];
  const code = {
    floor: timed(300, 1),
    deployer: { ...timed(600, 2), breakdown: parts },
    slow: timed(3000, 10),
    fast: timed(1500, 5),
  };
  expect(judge({ push: { code } })).toEqual([
    expect.objectContaining({ limit: 1.5, actual: 2, reached: false, dominatedBy: parts.toReversed() }),
    expect.objectContaining({ limit: 0.5, actual: 0.4, reached: true, dominatedBy: null }),
  ]);
});

it('options name what is to be measured, and an unknown one is refused', () => {
  expect(parseOptions(['--quick', '--only', 'load,push'])).toMatchObject({
    sections: ['push', 'load'],
    scale: { turns: 1 },
  });
  expect(parseOptions(['--turns', '3'])).toMatchObject({ scale: { turns: 3, rates: [300, 2000] } });
  expect(() => parseOptions(['--turns', 'many'])).toThrow(/--turns: expected a whole number/);
  expect(() => parseOptions(['--only', 'pull'])).toThrow(/there is no pull; there are push, rollback/);
});
