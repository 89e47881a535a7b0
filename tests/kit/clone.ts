import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import type { Repository } from './repository.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Commits this project as it is now; its dependencies are those of the project, so that nothing is downloaded. */
export async function cloneProject(
  repository: Repository,
  ports: { dev: number; prod: number },
): Promise<string> {
  const { directory } = repository;
  for (const file of await projectFiles())
    if (existsSync(join(PROJECT, file))) await cp(join(PROJECT, file), join(directory, file));
  for (const name of ['dev', 'prod'] as const) {
    const file = join(directory, 'environments', `${name}.yaml`);
    await writeFile(file, await nearby(await readFile(file, 'utf8'), ports[name]));
  }
  const commit = await repository.commit('This project', {});
  await linkModules(directory);
  return commit;
}

async function projectFiles(): Promise<string[]> {
  const list = ['-C', PROJECT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { maxBuffer: 1 << 24 });
  return stdout.split('\0').filter(Boolean);
}

/** The environment's file with what only a test needs otherwise: a free port, no download, no long watch. */
async function nearby(text: string, port: number): Promise<string> {
  const file = parse(text) as { commands: object; cutover: object };
  return stringify({
    ...file,
    listen: `127.0.0.1:${port}`,
    commands: { ...file.commands, install: `ln -s ${join(PROJECT, 'node_modules')} node_modules` },
    cutover: { ...file.cutover, settle: '0s' },
  });
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
