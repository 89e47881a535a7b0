import { installedMachine, removeMachine, sweep } from './leftovers.ts';
import { fillCache } from './packages.ts';
import { whatIsMissing } from './requirements.ts';

/** Before all: one line when this machine cannot, and nothing left of an earlier run that was killed. */
export default async function setup(): Promise<() => Promise<void>> {
  const missing = whatIsMissing();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    process.exit(1);
  }
  await sweep();
  await fillCache();
  return () => removeMachine(installedMachine(process.pid));
}
