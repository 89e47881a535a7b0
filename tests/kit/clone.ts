import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import type { Repository } from './repository.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Commits this project as it is now; its dependencies are those of the project, so that nothing is downloaded. */
export async function cloneProject(
  repository: Repository,
  ports: { dev: number; prod: number },
): Promise<string> {
  const commit = await commitProject(repository, (file, name) => nearby(file, ports[name]));
  await linkModules(repository.directory);
  return commit;
}

type EnvironmentFile = { commands: object; cutover: object } & Record<string, unknown>;

/** Commits this project as it is now, or as it was in a commit of its own, its environments as `adapt` returns them. */
export async function commitProject(
  repository: Repository,
  adapt: (file: EnvironmentFile, name: 'dev' | 'prod') => object,
  revision?: string,
): Promise<string> {
  const { directory } = repository;
  if (revision === undefined) await copyProject(directory);
  else await pipeThrough(['git', '-C', PROJECT, 'archive', revision], ['tar', '-C', directory, '-x']);
  for (const name of ['dev', 'prod'] as const) {
    const file = join(directory, 'environments', `${name}.yaml`);
    const adapted = adapt(parse(await readFile(file, 'utf8')) as EnvironmentFile, name);
    await writeFile(file, stringify(adapted));
  }
  return repository.commit('This project', {});
}

async function copyProject(directory: string): Promise<void> {
  for (const file of await projectFiles())
    if (existsSync(join(PROJECT, file))) await cp(join(PROJECT, file), join(directory, file));
}

async function pipeThrough(from: string[], to: string[]): Promise<void> {
  const run = ([program = '', ...args]: string[], input?: Uint8Array) =>
    execa(program, args, { encoding: 'buffer', ...(input && { input }) });
  await run(to, (await run(from)).stdout);
}

async function projectFiles(): Promise<string[]> {
  const list = ['-C', PROJECT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { maxBuffer: 1 << 24 });
  return stdout.split('\0').filter(Boolean);
}

/** The environment's file with what only a test needs otherwise: a free port, no download, no long watch. */
function nearby(file: EnvironmentFile, port: number): object {
  return {
    ...file,
    listen: `127.0.0.1:${port}`,
    commands: { ...file.commands, install: `ln -s ${join(PROJECT, 'node_modules')} node_modules` },
    cutover: { ...file.cutover, settle: '0s' },
  };
}

/** As `setup.mjs` leaves it. */
async function linkModules(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(PROJECT, 'node_modules')))
    if (name !== '.installed') await symlink(join(PROJECT, 'node_modules', name), join(modules, name));
  const lockfile = await readFile(join(directory, 'package-lock.json'));
  await writeFile(join(modules, '.installed'), createHash('sha256').update(lockfile).digest('hex'));
}
