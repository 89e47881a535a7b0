import { join } from 'node:path';
import { bad, good, type Examine } from '../check.ts';

/** The deployer's own state can be read and is whole. */
export const state: Examine = async ({ home, stateProblem, settings }) => {
  const name = "the deployer's state";
  const location = settings?.databaseUrl ? 'DEPLOYER_DATABASE_URL' : join(home, 'state.sqlite');
  if (stateProblem === null) return [good(name, 'sound')];
  const hint =
    'see docs/disaster.md: live sites go on; stop the deployer, keep a copy of its home, then restore';
  return [bad(name, { expected: 'sound', actual: stateProblem, hint, location })];
};
