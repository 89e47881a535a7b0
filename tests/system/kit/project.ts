import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { commitProject } from '../../kit/clone.ts';
import { Repository } from '../../kit/repository.ts';
import type { DebianMachine } from './machine.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where a maintainer finds the project, inside of the machine. */
export const ORIGIN = '/srv/git/deployer.git';

/**
 * Puts this project, as it is now, into a bare repository of the machine: what a maintainer clones.
 * @param before a commit of the project: it is what the branches have, and the present one is only `present`
 */
export async function publishProject(machine: DebianMachine, before?: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'publish-'));
  try {
    const repository = await Repository.create(join(scratch, 'work'), join(scratch, 'origin.git'));
    await commitProject(repository, nearby, before);
    await repository.push('HEAD:main', 'HEAD:dev');
    if (before !== undefined) {
      await repository.git('rm', '-rq', '.');
      await commitProject(repository, nearby);
      await repository.push('HEAD:present');
    }
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

/** What makes a deployer, in this project. */
const DEPLOYER = ['deployer', 'backups', 'environments', 'migrations/deployer', 'package.json'];

/** The commit before the last that changed the deployer; null where the checkout has no history, or other packages then. */
export async function versionBefore(): Promise<string | null> {
  const git = (...args: string[]) => execa('git', args, { cwd: PROJECT, reject: false });
  const { stdout: last } = await git('log', '-1', '--format=%H', '--', ...DEPLOYER);
  const { stdout: before, exitCode } = await git('rev-parse', '--verify', '--quiet', `${last}~1`);
  if (exitCode !== 0) return null;
  const { exitCode: differs } = await git('diff', '--quiet', before, '--', 'package-lock.json');
  return differs === 0 ? before : null;
}

/** No certificate can be had in there, no test watches for a minute, and a busy machine may hold for longer. */
function nearby(file: object, name: string): object {
  return { ...file, url: `http://${name}.localhost`, cutover: { hold: '60s', settle: '1s' } };
}
