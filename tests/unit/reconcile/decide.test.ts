import { expect, it } from 'vitest';
import { decide } from '../../../deployer/reconcile/decide.ts';

const HANDLED = ['none', 'another', 'this'] as const;
const OUTCOMES = [
  null,
  'deployed',
  'rejected',
  'rolled_back',
  'refused',
  'superseded',
  'needs_attention',
] as const;
const GATES = ['open', 'pending', 'closed'] as const;

const situations = HANDLED.flatMap((handled) =>
  [false, true].flatMap((quarantined) =>
    OUTCOMES.flatMap((outcome) =>
      GATES.flatMap((gate) =>
        [false, true].map((obstructed) => ({ handled, quarantined, outcome, gate, obstructed })),
      ),
    ),
  ),
);

/** The table, said the other way round: what has to be true for each decision. */
function expected({ handled, quarantined, outcome, gate, obstructed }: (typeof situations)[number]): string {
  const due = handled !== 'this' || (outcome === 'refused' && gate === 'open' && !obstructed);
  if (!due || quarantined) return 'nothing';
  return { open: 'deploy', pending: 'wait', closed: 'deploy' }[gate];
}

it.each(situations)(
  'handled: $handled, quarantined: $quarantined, ended: $outcome, gate: $gate, obstructed: $obstructed',
  (situation) => {
    const handled = { none: null, another: 'b', this: 'a' }[situation.handled];
    expect(decide({ ...situation, head: 'a', handled })).toBe(expected(situation));
  },
);

it.each([
  ['a new head is deployed', { handled: 'b' }, 'deploy'],
  ['the first head is deployed', { handled: null }, 'deploy'],
  ['a head that was handled is left alone', { handled: 'a', outcome: 'deployed' }, 'nothing'],
  ['a head that runs is left alone', { handled: 'a' }, 'nothing'],
  ['a push back to an earlier commit is deployed again', { handled: 'b', outcome: 'deployed' }, 'deploy'],
  ['a quarantined head is never deployed by itself', { handled: 'b', quarantined: true }, 'nothing'],
  ['a closed gate is told by the deployment', { handled: 'b', gate: 'closed' }, 'deploy'],
  ['an unfinished verification is waited for', { handled: 'b', gate: 'pending' }, 'wait'],
  ['what a gate refused is taken up once it opens', { handled: 'a', outcome: 'refused' }, 'deploy'],
  [
    'what a gate refused stays refused until then',
    { handled: 'a', outcome: 'refused', gate: 'closed' },
    'nothing',
  ],
  [
    'what the host refuses is not asked for without end',
    { handled: 'a', outcome: 'refused', obstructed: true },
    'nothing',
  ],
  ['a new head is told what the host refuses', { handled: 'b', obstructed: true }, 'deploy'],
] as const)('%s', (_what, more, decision) => {
  const calm = { head: 'a', quarantined: false, outcome: null, gate: 'open', obstructed: false } as const;
  expect(decide({ ...calm, ...more })).toBe(decision);
});
