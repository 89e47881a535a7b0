/** What many measurements of the same thing say together; times in milliseconds. */
export interface Summary {
  median: number;
  min: number;
  max: number;
  all: number[];
}

/** @throws RangeError for no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('nothing was measured');
  return (lower + upper) / 2;
}

export function summary(values: readonly number[]): Summary {
  return {
    median: rounded(median(values), 1),
    min: rounded(Math.min(...values), 1),
    max: rounded(Math.max(...values), 1),
    all: values.map((value) => rounded(value, 1)),
  };
}

/**
 * How many times as much as the other, from values that were taken in turns: the median of the ratios of each turn,
 * so that what slows the whole machine for a while falls out.
 * @throws RangeError when the two were not measured equally often
 */
export function ratio(values: readonly number[], others: readonly number[]): number {
  if (values.length !== others.length)
    throw new RangeError(`${values.length} values against ${others.length}`);
  return rounded(median(values.map((value, turn) => value / (others[turn] ?? Number.NaN))), 2);
}

/** The order of a turn: each goes first once, so that nobody always follows the same one. */
export function rotated<T>(items: readonly T[], turn: number): T[] {
  const start = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

export function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
