import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from 'tar';
import { z } from 'zod';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** A package of one small file, of which there is every version: a new one changes the lockfile. */
const MARKER = 'benchmark-marker';

const lockEntry = z.looseObject({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
});
type LockEntry = z.infer<typeof lockEntry>;
const lockfile = z.object({ packages: z.record(z.string(), z.looseObject({})) });

/** A registry on this machine with the framework that this project uses itself, so that nothing is measured of the network. */
export interface Registry {
  url: string;
  /** package.json and package-lock.json with that version of the marker, both as text. */
  manifests(marker: number): Promise<{ 'package.json': string; 'package-lock.json': string }>;
  close(): Promise<void>;
}

export async function startRegistry(): Promise<Registry> {
  const tarballs = new Map<string, Buffer>();
  const shop = { url: '', tarballs };
  const server = createServer((request, response) => {
    const tarball = tarballs.get(request.url ?? '');
    if (tarball) response.end(tarball);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop.url = `http://127.0.0.1:${portOf(server)}`;
  const framework = await closureOf('express');
  const entries: Record<string, object> = {};
  for (const [path, entry] of framework) {
    const tarball = await pack(join(PROJECT, path));
    entries[path] = publish(shop, nameOf(path), entry, tarball);
  }
  const markers = new Map<number, object>();
  const express = framework.get('node_modules/express');
  if (!express) throw new Error('express is not installed');

  return {
    url: `${shop.url}/`,
    async manifests(number) {
      const version = `1.0.${number}`;
      const marker = markers.get(number) ?? publish(shop, MARKER, { version }, await packMarker(version));
      markers.set(number, marker);
      const dependencies = { [MARKER]: version, express: express.version };
      const description = { name: 'small-application', version: '1.0.0', type: 'module', dependencies };
      const { type: _, ...root } = description;
      const packages = { '': root, ...entries, [`node_modules/${MARKER}`]: marker };
      const { name } = description;
      const lock = { name, version: '1.0.0', lockfileVersion: 3, requires: true, packages };
      return {
        'package.json': JSON.stringify(description, null, 2),
        'package-lock.json': JSON.stringify(lock, null, 2),
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The lockfile entry of a package that is now to be had. */
function publish(
  { url, tarballs }: { url: string; tarballs: Map<string, Buffer> },
  name: string,
  { version, ...entry }: LockEntry,
  packed: Buffer,
): object {
  const path = `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  // The same version may be installed in two places, with other times of its files.
  const tarball = tarballs.get(path) ?? packed;
  tarballs.set(path, tarball);
  return {
    version,
    resolved: `${url}${path}`,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    ...entry,
  };
}

/** The package and all that it needs, by path as in this project's own lockfile. */
async function closureOf(root: string): Promise<Map<string, LockEntry>> {
  const { packages } = lockfile.parse(JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8')));
  const found = new Map<string, LockEntry>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    const { version, dependencies = {} } = lockEntry.parse(packages[path]);
    found.set(path, { version, dependencies });
    for (const name of Object.keys(dependencies)) visit(lookUp(packages, path, name));
  };
  visit(`node_modules/${root}`);
  return found;
}

/** Where Node finds `name` from `path`: nested first, then further up. */
function lookUp(packages: Record<string, unknown>, path: string, name: string): string {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const candidate = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (from === '') throw new Error(`${name}, which ${path} needs, is not in package-lock.json`);
  }
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

async function pack(directory: string): Promise<Buffer> {
  const nested = join(directory, 'node_modules');
  const packed = create(
    {
      gzip: true,
      portable: true,
      cwd: directory,
      prefix: 'package',
      filter: (path) => relative(nested, join(directory, path)).startsWith('..'),
    },
    ['.'],
  );
  return Buffer.concat(await packed.collect());
}

async function packMarker(version: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'marker-'));
  try {
    await writeFile(join(directory, 'package.json'), JSON.stringify({ name: MARKER, version }));
    return await pack(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the registry has no port');
  return address.port;
}
