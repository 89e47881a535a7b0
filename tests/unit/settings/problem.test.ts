import { expect, it } from 'vitest';
import { oneLine } from '../../../deployer/problem.ts';

it('makes one line of anything that is thrown', () => {
  expect(oneLine(new Error('first\nsecond\r\n\tthird'))).toBe('first second third');
  expect(oneLine('plain')).toBe('plain');
  expect(oneLine(undefined)).toBe('undefined');
});

it('strips what a terminal or a log would obey', () => {
  expect(oneLine('a\u001b[31mb\u0000c\u0085d\u2028e\u2029f\u007f')).toBe('a [31mb c d e f');
  expect(oneLine('Überfällig \u202egnp.exe\u202c \u2067x')).toBe('Überfällig gnp.exe x');
});

it('shortens to the limit and shows that it did', () => {
  expect(oneLine('x'.repeat(140), 140)).toBe('x'.repeat(140));
  expect(oneLine('x'.repeat(141), 140)).toBe(`${'x'.repeat(139)}…`);
  expect(oneLine('x'.repeat(1000))).toHaveLength(400);
});

it('cuts no character in two, and mends what was cut before', () => {
  expect(oneLine(`${'x'.repeat(138)}😀y`, 140).isWellFormed()).toBe(true);
  expect(oneLine('half \ud83d')).toBe('half \ufffd');
});
