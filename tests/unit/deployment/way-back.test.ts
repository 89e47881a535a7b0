import { expect, it } from 'vitest';
import { wayBackCheck } from '../../../deployer/deployment/rehearsal/checks.ts';

const work = { config: { migrations: { 'require-reversible': true } }, proven: false } as never;

it('says what to write when a migration cannot be taken back', () => {
  expect(wayBackCheck(work, '002_try has no down')).toMatchObject({
    success: false,
    actual: 'is not there: 002_try has no down',
    hint: expect.stringMatching(/^give the migration a down that brings back what was/) as string,
  });
  expect(wayBackCheck(work, null)).toMatchObject({ success: true, hint: null });
});
