import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';

export const REGISTRY_PORT = 4873;

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      integrity: z.string().optional(),
      optional: z.boolean().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});

export interface Package {
  name: string;
  version: string;
  integrity: string;
  /** The package's bytes, in npm's own cache. */
  file: string;
  /** What the registry tells besides: dependencies, bin, os, cpu. */
  more: Record<string, unknown>;
}

/** Every package of the project's lockfile that npm has in its cache. */
export async function cachedPackages(): Promise<Package[]> {
  return (await locked()).filter(({ file }) => existsSync(file));
}

/** Downloads once what this machine's npm does not have yet: inside there is no network. */
export async function fillCache(): Promise<void> {
  const isThere = (await locked()).every(({ file, isNeeded }) => !isNeeded || existsSync(file));
  if (isThere) return;
  const scratch = await mkdtemp(join(tmpdir(), 'fill-cache-'));
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(PROJECT, name), join(scratch, name));
  await execa('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: scratch });
  await rm(scratch, { recursive: true, force: true });
}

/** Where npm reads what its own packager set, whoever calls it; there it is told the registry inside. */
export async function npmSettings(root: string): Promise<{ file: string; text: string }> {
  const find = 'PATH=/usr/local/bin:/usr/bin:/bin; readlink -f "$(command -v npm)"';
  const { stdout: program } = await execa('chroot', [root, 'sh', '-c', find]);
  return {
    file: join(dirname(program), '..', 'npmrc'),
    text: `registry=http://127.0.0.1:${REGISTRY_PORT}/\n`,
  };
}

async function locked(): Promise<(Package & { isNeeded: boolean })[]> {
  const { packages } = lockfile.parse(JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8')));
  const { stdout } = await execa('npm', ['config', 'get', 'cache']);
  return Object.entries(packages).flatMap(([path, { version, integrity, ...more }]) => {
    if (version === undefined || integrity === undefined) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const file = contentFile(stdout.trim(), integrity);
    return [{ name, version, integrity, file, more, isNeeded: more.optional !== true && more.dev !== true }];
  });
}

/** npm's cache is addressed by content: <https://github.com/npm/cacache>. */
function contentFile(cache: string, integrity: string): string {
  const [algorithm = '', digest = ''] = (integrity.split(' ')[0] ?? '').split(/-(.*)/s);
  const hex = Buffer.from(digest, 'base64').toString('hex');
  return join(cache, '_cacache', 'content-v2', algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}
