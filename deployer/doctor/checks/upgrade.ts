import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { LAYOUT } from '../../install/layout.ts';
import { rootsPartIn } from '../../upgrade/identity.ts';
import { readFailures } from '../../upgrade/trial.ts';
import { bad, good, type Examine } from '../check.ts';

/** The deployer is what main brings, and root's part of it is as new. */
export const upgrade: Examine = async ({ isHost, home }) => {
  if (!isHost) return [];
  const failed = (await readFailures(home)).map(({ commit, cause }) =>
    bad("the deployer's upgrade", {
      expected: `the deployer of ${commit.slice(0, 8)} takes over`,
      actual: cause,
      hint: 'a new commit that mends it is tried by itself; or deployer install from a clone',
    }),
  );
  return [...failed, ...(await rootsPart())];
};

async function rootsPart() {
  const brought = await realpath(join(LAYOUT.upgrades, 'current')).catch(() => null);
  if (brought === null) return [];
  const name = 'units, rules and front door of the deployer that runs';
  const isSame = (await rootsPartIn(brought)) === (await rootsPartIn(LAYOUT.current));
  if (isSame) return [good(name, 'as installed')];
  const hint = 'in a clone of main: npm ci --omit=dev --ignore-scripts && sudo npx deployer install';
  return [bad(name, { expected: 'as installed', actual: 'main has brought others', hint })];
}
