import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestRows, type Value } from '../../../backups/digest.ts';
import { tableDigester } from '../../../verify/digest.ts';

const ROWS: Value[][] = [
  [1n, 'Ann', 0.1, Buffer.from([0, 255]), null],
  [-9_223_372_036_854_775_808n, 'ü𝄞\0', Infinity, Buffer.alloc(0), null],
  [3n, '', 1, Buffer.from('text'), 'x'],
];

/** The definition, word for word. */
function defined(rows: Value[][]): string {
  const sum = rows.reduce((total, row) => total + BigInt(`0x${rowHash(row)}`), 0n);
  return (sum % 2n ** 256n).toString(16).padStart(64, '0');
}

function rowHash(row: Value[]): string {
  const hash = createHash('sha256');
  for (const value of row) {
    const [letter, bytes] = encode(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(letter).update(length).update(bytes);
  }
  return hash.digest('hex');
}

function encode(value: Value): [string, Buffer] {
  if (value === null) return ['n', Buffer.alloc(0)];
  if (typeof value === 'bigint') return ['i', Buffer.from(String(value))];
  if (typeof value === 'number') return ['r', Buffer.from(value.toPrecision(17))];
  return typeof value === 'string' ? ['t', Buffer.from(value)] : ['b', value];
}

describe('the digest of a table', () => {
  test('is the sum of the SHA-256 of its rows modulo 2^256', () => {
    expect(digestRows(ROWS)).toEqual({ rows: 3, digest: defined(ROWS) });
    expect(digestRows([])).toEqual({ rows: 0, digest: '0'.repeat(64) });
  });

  test('is the same that a release computes of itself', () => {
    const theirs = tableDigester();
    for (const row of ROWS) theirs.add(row);
    expect(digestRows(ROWS)).toEqual(theirs.finish());
  });

  test('does not depend on the order of the rows', () => {
    expect(digestRows(ROWS.toReversed())).toEqual(digestRows(ROWS));
  });

  test('carries from limb to limb', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => [BigInt(index)]);
    expect(digestRows(rows).digest).toBe(defined(rows));
  });

  test('counts values larger than its buffer', () => {
    const rows = [['x'.repeat(100_000), Buffer.alloc(300_000, 7), 'y']];
    expect(digestRows(rows).digest).toBe(defined(rows));
  });

  test.each<[string, Value, Value]>([
    ['an integer and the same real', 1n, 1],
    ['an integer and the same text', 1n, '1'],
    ['text and the same blob', 'a', Buffer.from('a')],
    ['nothing and empty text', null, ''],
    ['upper and lower case', 'Ann', 'ann'],
    ['reals that differ in the last bit', 0.1, 0.100_000_000_000_000_02],
  ])('tells %s apart', (_, one, other) => {
    expect(digestRows([[one]]).digest).not.toBe(digestRows([[other]]).digest);
  });

  test('tells where one value ends and the next begins', () => {
    expect(digestRows([['ab', 'c']]).digest).not.toBe(digestRows([['a', 'bc']]).digest);
  });
});
