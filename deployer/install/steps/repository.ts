import { existsSync } from 'node:fs';
import { createOrigin } from '../../forge/local/origin.ts';
import { originOf } from '../../forge/local/path.ts';
import type { Host } from '../host.ts';
import { LAYOUT } from '../layout.ts';
import type { Step } from '../step.ts';

/** The local forge, where no GitHub repository is configured: the clone's HEAD as `dev` and `main`. It is data, and stays. */
export function localRepository(host: Host, checkout: string): Step {
  const path = originOf(LAYOUT.home);
  return {
    title: `repository ${path} from this clone's HEAD, as dev and main`,
    made: null,
    check: async () => (existsSync(path) ? null : 'missing'),
    async apply() {
      await createOrigin({ home: LAYOUT.home, checkout });
      await host.run(['chown', '--recursive', 'deployer:deployer', path]);
    },
  };
}
