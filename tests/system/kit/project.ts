import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { commitProject } from '../../kit/clone.ts';
import { Repository } from '../../kit/repository.ts';
import type { DebianMachine } from './machine.ts';

/** Where a maintainer finds the project, inside of the machine. */
export const ORIGIN = '/srv/git/deployer.git';

/** Puts this project, as it is now, into a bare repository of the machine: what a maintainer clones. */
export async function publishProject(machine: DebianMachine): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'publish-'));
  try {
    const repository = await Repository.create(join(scratch, 'work'), join(scratch, 'origin.git'));
    await commitProject(repository, nearby);
    await repository.push('HEAD:main', 'HEAD:dev');
    await machine.shell(`mkdir -p ${ORIGIN}`);
    const tar = await promisify(execFile)('tar', ['-C', repository.origin, '-cf', '-', '.'], {
      encoding: 'buffer',
      maxBuffer: 1 << 28,
    });
    await machine.run(['tar', '-C', ORIGIN, '-xf', '-'], { input: tar.stdout });
    await machine.run(['chown', '-R', 'root:root', ORIGIN]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** No certificate can be had in there, no test watches for a minute, and a busy machine may hold for longer. */
function nearby(file: object, name: string): object {
  return { ...file, url: `http://${name}.localhost`, cutover: { hold: '60s', settle: '1s' } };
}
