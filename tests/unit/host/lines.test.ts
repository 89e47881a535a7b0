import { describe, expect, test } from 'vitest';
import { LineSplitter, Tail } from '../../../deployer/host/lines.ts';

function split(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('LineSplitter', () => {
  test('joins what came in pieces, within a character too', () => {
    const bytes = Buffer.from('grün\nrot');
    expect(split(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['grün', 'rot']);
  });

  test('keeps empty lines and strips control characters', () => {
    expect(split('a\r\n\n\u001b[1;31mb\u001b[K\u0000\tc\u2028')).toEqual(['a', '', 'b\tc']);
  });

  test('breaks a line that has no end', () => {
    expect(split('x'.repeat(20_000)).map(({ length }) => length)).toEqual([8192, 8192, 3616]);
  });
});

describe('Tail', () => {
  test('keeps the last lines within its limit', () => {
    const tail = new Tail(10);
    for (const line of ['first', 'abc', 'defgh']) tail.add(line);
    expect(String(tail)).toBe('abc\ndefgh');
    tail.add('a line that is too long by itself');
    expect(String(tail)).toBe('a line th');
  });
});
