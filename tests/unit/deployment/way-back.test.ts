import { expect, it } from 'vitest';
import { wayBackCheck } from '../../../deployer/deployment/rehearsal/checks.ts';

const work = { config: { migrations: { 'require-reversible': true } }, proven: false } as never;

it('says what to write when a migration cannot be taken back', () => {
  expect(wayBackCheck(work, { problem: '002_try has no down', untried: [] })).toMatchObject({
    success: false,
    actual: 'is not there: 002_try has no down',
    hint: expect.stringMatching(/^give the migration a down that brings back what was/) as string,
  });
  expect(wayBackCheck(work, { problem: null, untried: [] })).toMatchObject({
    success: true,
    actual: 'is proven by down',
    hint: null,
  });
});

it('calls nothing proven that could not be tried, and rejects nothing for that alone', () => {
  expect(wayBackCheck(work, { problem: null, untried: ['notes', 'remarks'] })).toMatchObject({
    success: true,
    actual:
      'by down schema and data come back, but it could not be tried whether rows written since stay, in notes, remarks',
  });
});
