import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { localForge } from '../../../deployer/forge/local/forge.ts';
import type { Forge } from '../../../deployer/forge/types.ts';
import { Origin, scratch } from '../release/fixture.ts';

/** A home with an `origin.git`, its forge, and a first commit on `dev` and `main`. */
export async function forged(): Promise<{ home: string; origin: Origin; forge: Forge; first: string }> {
  const home = await scratch();
  const origin = await Origin.create(join(home, 'origin.git'));
  const first = await origin.commit('dev', { a: '1\n', b: '1\n' });
  await origin.git(['update-ref', 'refs/heads/main', first]);
  return { home, origin, forge: localForge({ home }), first };
}

/** git in a checkout as a developer runs it; answers stdout and stderr. */
export async function developer(directory: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=A Developer', '-c', 'user.email=developer@example.org'];
  const { stdout, stderr } = await promisify(execFile)('git', ['-C', directory, ...identity, ...args]);
  return stdout + stderr;
}
