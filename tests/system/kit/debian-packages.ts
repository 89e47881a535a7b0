import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { DebianMachine } from './machine.ts';

/** Lets `apt-get install` find a package in a machine without a network: where apt keeps what it has downloaded. */
export async function offerPackage(machine: DebianMachine, name: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'debian-package-'));
  try {
    const download = () => execa('apt-get', ['download', '-qq', name], { cwd: scratch });
    // Not everywhere are the lists there.
    await download().catch(async () => {
      await execa('apt-get', ['update', '-qq']);
      await download();
    });
    for (const file of await readdir(scratch)) {
      const target = `/var/cache/apt/archives/${file}`;
      const input = await readFile(join(scratch, file));
      await machine.run(['sh', '-c', 'cat > "$0"', target], { input });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
