import { describe, expect, it } from 'vitest';
import { decidePull } from '../../../deployer/reconcile/decide-pull.ts';

const NOW = { commit: 'c', tree: 't' };
const last = (more: object = {}) => ({ commit: 'c', tree: 't', outcome: 'ok' as const, ...more });

describe('a pull request', () => {
  it.each([
    ['that was never rehearsed', NOW, null, false],
    ['whose head has moved', NOW, last({ commit: 'older' }), false],
    ['whose base has moved so that another tree comes of it', NOW, last({ tree: 'older' }), false],
    ['that conflicts no more', NOW, last({ tree: null, outcome: 'failed' }), false],
    ['that conflicts now', { commit: 'c', tree: null }, last(), false],
    ['that was closed meanwhile and is open again', NOW, last({ outcome: 'superseded' }), false],
    ['whose gate has opened', NOW, last(), true],
  ])('%s is rehearsed', (_what, now, before, gateOpened) => {
    expect(decidePull(now, before, gateOpened)).toBe('rehearse');
  });

  it.each([
    ['that passed', last(), false],
    ['that failed', last({ outcome: 'failed' }), false],
    ['that failed, whatever the gate does', last({ outcome: 'failed' }), true],
    ['whose rehearsal is under way', last({ outcome: null }), false],
  ])('%s and would be merged alike is left alone', (_what, before, gateOpened) => {
    expect(decidePull(NOW, before, gateOpened)).toBe('nothing');
  });

  it('that conflicts as it did is left alone', () => {
    const conflicting = { commit: 'c', tree: null };
    expect(decidePull(conflicting, last({ tree: null, outcome: 'failed' }), false)).toBe('nothing');
  });
});
