import { gateOn } from '../gate.ts';
import type { Suite } from '../model.ts';
import type { Work } from '../work.ts';
import { PROMOTION_SUITE } from './suite.ts';

const CLOSED = 'is closed';

/** What the promotion gate would say if the pull request were merged now: told, and no failure of the rehearsal. */
export async function promotionSuite({ tools, config, target }: Work): Promise<Suite[]> {
  if (config.requires === undefined) return [];
  const gate = await gateOn(tools, config.name, target.tree);
  const actual =
    gate.state === 'closed'
      ? `${CLOSED}: ${gate.reason}`
      : gate.state === 'open'
        ? 'is open'
        : `${CLOSED} until ${config.requires} has verified this tree`;
  const hint = gate.state === 'open' ? null : 'merged now, its deployment would wait or be refused';
  const check = { name: 'the gate', success: true, expected: 'to be known', actual, hint, location: null };
  return [{ name: PROMOTION_SUITE, success: true, durationMs: 0, checks: [check] }];
}

export const saysGateIsClosed = (suites: readonly Suite[]): boolean =>
  suites.some(
    ({ name, checks }) => name === PROMOTION_SUITE && checks.some(({ actual }) => actual.startsWith(CLOSED)),
  );
