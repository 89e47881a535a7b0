import type { DebianMachine } from './machine.ts';

/** Lets `apt-get install` find a package in a machine without a network: where apt keeps what it has downloaded. */
export async function offerPackage(machine: DebianMachine, name: string): Promise<void> {
  const options = { cwd: '/var/cache/apt/archives', isOnline: true };
  const download = () => machine.exec(['apt-get', 'download', '-qq', name], options);
  if ((await download()).code === 0) return;
  // Not everywhere are the lists there.
  await machine.run(['apt-get', 'update', '-qq'], options);
  await machine.run(['apt-get', 'download', '-qq', name], options);
}
