import { inspect } from '../../install/install.ts';
import { bad, good, type Examine } from '../check.ts';

/** Everything that install promised of this machine. */
export const installed: Examine = async ({ isHost, host }) => {
  if (!isHost) return [];
  const plan = await inspect(host);
  return plan.map(({ step: { title, mend = 'deployer install' }, found }) =>
    found === null
      ? good(title, 'as installed')
      : bad(title, { expected: 'as installed', actual: found, hint: mend }),
  );
};
