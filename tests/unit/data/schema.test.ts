import { describe, expect, test } from 'vitest';
import { normalise } from '../../../deployer/data/sqlite/schema.ts';

describe('a normalised definition', () => {
  test.each([
    ['layout', 'CREATE TABLE t (\n  a int,\tb text\n)', 'CREATE TABLE t(a int,b text)'],
    ['comments', 'CREATE TABLE t(a -- why\n, /* not */ b)', 'CREATE TABLE t(a,b)'],
    ['quotes around plain names', 'CREATE TABLE "t"(`a` int, [b] text)', 'CREATE TABLE t(a int,b text)'],
  ])('leaves out %s', (_, one, other) => {
    expect(normalise(one)).toBe(normalise(other));
  });

  test.each([
    ['text in quotes', "CHECK (a IN ('x , y'))", "CHECK (a IN ('x,y'))"],
    ['quoted names that need their quotes', 'CREATE TABLE "t u"(a)', 'CREATE TABLE t u(a)'],
    ['a comment mark inside text', "CHECK (a <> '--x')", "CHECK (a <> '--y')"],
    ['the order of columns', 'CREATE TABLE t(a, b)', 'CREATE TABLE t(b, a)'],
  ])('keeps %s', (_, one, other) => {
    expect(normalise(one)).not.toBe(normalise(other));
  });
});
