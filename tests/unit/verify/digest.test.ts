import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { tableDigester, type Value } from '../../../verify/digest.ts';

function digest(...rows: Value[][]) {
  const digester = tableDigester();
  for (const row of rows) digester.add(row);
  return digester.finish();
}

test('the digest of one row is its SHA-256 over letter, length and bytes of each column', () => {
  const columns: [string, Buffer][] = [
    ['n', Buffer.alloc(0)],
    ['i', Buffer.from('-9007199254740993')],
    ['r', Buffer.from('1.5000000000000000')],
    ['t', Buffer.from('Zürich')],
    ['b', Buffer.from([0, 255])],
  ];
  const hash = createHash('sha256');
  for (const [letter, bytes] of columns) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(letter).update(length).update(bytes);
  }
  expect(digest([null, -9007199254740993n, 1.5, 'Zürich', Buffer.from([0, 255])])).toEqual({
    rows: 1,
    digest: hash.digest('hex'),
  });
});

test('rows add up as 256-bit integers that wrap around, in any order', () => {
  const rows: Value[][] = Array.from({ length: 50 }, (_, index) => [BigInt(index)]);
  const sum = rows.reduce((total, row) => total + BigInt(`0x${digest(row).digest}`), 0n) % 2n ** 256n;
  expect(digest(...rows)).toEqual({ rows: 50, digest: sum.toString(16).padStart(64, '0') });
  expect(digest(...rows.toReversed())).toEqual(digest(...rows));
});

test('a table without rows has the digest zero, and the same row twice is not no row', () => {
  expect(digest()).toEqual({ rows: 0, digest: '0'.repeat(64) });
  expect(digest(['a'], ['a']).digest).not.toBe(digest().digest);
});

test('values that look alike differ: by type, by case, and by where a text ends', () => {
  const alike: Value[][] = [
    [1n, 'x'],
    ['1', 'x'],
    [1, 'x'],
    [Buffer.from('1'), 'x'],
    [1n, 'X'],
    ['1x', ''],
    [null, 'x'],
  ];
  expect(new Set(alike.map((row) => digest(row).digest)).size).toBe(alike.length);
});
