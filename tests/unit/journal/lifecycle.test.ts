import { describe, expect, it } from 'vitest';
import { assertTransition, PHASES, TRANSITIONS } from '../../../deployer/deployment/lifecycle.ts';
import { nextTag } from '../../../deployer/deployment/tag.ts';

describe('the life of a deployment', () => {
  const pairs = PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const));
  const allowed = pairs.filter(([from, to]) => TRANSITIONS[from].includes(to));
  const forbidden = pairs.filter(([from, to]) => !TRANSITIONS[from].includes(to));

  it.each(allowed)('goes from %s to %s', (from, to) => {
    expect(() => assertTransition(from, to)).not.toThrow();
  });

  it.each(forbidden)('does not go from %s to %s', (from, to) => {
    expect(() => assertTransition(from, to)).toThrow(`a deployment cannot go from ${from} to ${to}`);
  });

  it('ends for good, and from every phase it can end', () => {
    expect(TRANSITIONS.finished).toEqual([]);
    for (const phase of PHASES.filter((name) => name !== 'finished'))
      expect(TRANSITIONS[phase]).toContain('finished');
  });

  it('never begins anew once visitors have reached it', () => {
    expect(TRANSITIONS.live).not.toContain('waiting');
    expect(TRANSITIONS.reverting).not.toContain('waiting');
  });
});

describe('a tag', () => {
  const now = new Date('2026-11-02T23:59:59Z');
  it.each([
    [[], 'v2026.11.2'],
    [['v2026.11.1', 'v2026.11.20', 'v2026.11.20-3', 'v2026.11.2-beta', 'v1.0'], 'v2026.11.2'],
    [['v2026.11.2'], 'v2026.11.2-2'],
    [['v2026.11.2', 'v2026.11.2-2', 'v2026.11.2-10'], 'v2026.11.2-11'],
    [['v2026.11.2-4'], 'v2026.11.2-5'],
  ])('after %j is %s', (taken, expected) => {
    expect(nextTag(taken, now)).toBe(expected);
  });
});
