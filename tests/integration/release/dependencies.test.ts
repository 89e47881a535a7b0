import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { create } from 'tar';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { removeTree } from '../../../deployer/release/files.ts';
import { Origin, scratch, workshop, type Content, type Workshop } from './fixture.ts';

const INSTALL = 'npm ci --omit=dev';
let tarball: Buffer;

/** A package `tiny` with a program `tiny` and a postinstall script that must not run. */
beforeAll(async () => {
  const directory = join(import.meta.dirname, `tiny-${process.pid}.tmp`);
  await mkdir(join(directory, 'package'), { recursive: true });
  const description = {
    name: 'tiny',
    version: '1.0.0',
    bin: { tiny: 'tiny.js' },
    scripts: { postinstall: "node -e \"require('fs').writeFileSync('ran','')\"" },
  };
  await writeFile(join(directory, 'package', 'package.json'), JSON.stringify(description));
  await writeFile(join(directory, 'package', 'tiny.js'), '#!/usr/bin/env node\nconsole.log("tiny");\n');
  tarball = await buffer(create({ cwd: directory, gzip: true, portable: true }, ['package']));
  await rm(directory, { recursive: true });
});

/** A registry on this machine that has only that package. */
async function registry(): Promise<string> {
  const server = createServer((_request, response) => response.end(tarball)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

async function application(more: object = {}): Promise<Record<string, Content>> {
  const dependencies = { tiny: '1.0.0' };
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const tiny = {
    version: '1.0.0',
    resolved: `${await registry()}/tiny/-/tiny-1.0.0.tgz`,
    integrity,
    hasInstallScript: true,
    bin: { tiny: 'tiny.js' },
  };
  const lock = {
    name: 'app',
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name: 'app', dependencies }, 'node_modules/tiny': tiny },
  };
  return {
    'package.json': JSON.stringify({ name: 'app', dependencies, ...more }),
    'package-lock.json': JSON.stringify(lock),
  };
}

async function workplace(): Promise<Workshop & { origin: Origin }> {
  const home = await scratch();
  const origin = await Origin.create(join(home, 'origin.git'));
  return { origin, ...workshop(origin, home) };
}

function installs({ ran }: Workshop): number {
  return ran.filter(([program]) => program === 'npm').length;
}

describe('dependencies', () => {
  it('are installed once for every release with the same lockfile, and linked', async () => {
    const work = await workplace();
    const files = await application();
    const first = await work.build(await work.origin.commit('dev', { ...files, 'app.js': '1' }), INSTALL);
    const second = await work.build(await work.origin.commit('dev', { ...files, 'app.js': '2' }), INSTALL);
    const again = await work.build(await work.origin.head('dev'), INSTALL);
    expect([first, second, again].map(({ reused, dependencies }) => [reused, dependencies])).toEqual([
      [false, 'installed'],
      [false, 'reused'],
      [true, 'reused'],
    ]);
    expect(installs(work)).toBe(1);
    expect(await readFile(join(first.directory, 'node_modules/.bin/tiny'), 'utf8')).toContain('tiny');
    const link = await readlink(join(first.directory, 'node_modules'));
    expect(link).toMatch(/^\.\.\/\.\.\/dependencies\/[0-9a-f]{32}\/node_modules$/);
    expect(await readlink(join(second.directory, 'node_modules'))).toBe(link);
    const tiny = join(first.directory, 'node_modules/tiny');
    expect((await stat(join(tiny, 'tiny.js'))).mode & 0o222).toBe(0);
    expect(await readdir(tiny)).not.toContain('ran');
    expect(await readdir(join(work.home, 'dependencies'))).toHaveLength(1);
  });

  it('are installed once when two releases need them at the same time', async () => {
    const work = await workplace();
    const files = await application();
    const one = await work.origin.commit('dev', { ...files, 'app.js': '1' });
    const two = await work.origin.commit('dev', { ...files, 'app.js': '2' });
    const releases = await Promise.all([work.build(one, INSTALL), work.build(two, INSTALL)]);
    expect(releases.map(({ dependencies }) => dependencies).sort()).toEqual(['installed', 'reused']);
    expect(installs(work)).toBe(1);
  });

  it('are installed again when they were lost, and the release linked elsewhere is built again', async () => {
    const work = await workplace();
    const commit = await work.origin.commit('dev', await application());
    const { directory } = await work.build(commit, INSTALL);
    await removeTree(join(work.home, 'dependencies'));
    expect(await work.build(commit, INSTALL)).toMatchObject({ reused: true, dependencies: 'installed' });
    await removeTree(directory);
    expect(await work.build(commit, INSTALL)).toMatchObject({ reused: false, dependencies: 'reused' });
    expect(installs(work)).toBe(2);
  });

  it('stay while a kept release needs them, and go with the last', async () => {
    const work = await workplace();
    const commit = await work.origin.commit('dev', await application());
    const { tree } = await work.build(commit, INSTALL);
    const dependencies = join(work.home, 'dependencies');
    await mkdir(join(dependencies, `${'0'.repeat(32)}.tmp-x`));
    await work.releases.prune(new Set([tree]));
    expect(await readdir(dependencies)).toHaveLength(1);
    await work.releases.prune(new Set());
    expect(await readdir(dependencies)).toEqual([]);
  });

  it('cannot be installed without a lockfile', async () => {
    const work = await workplace();
    const commit = await work.origin.commit('dev', { 'package.json': '{}' });
    await expect(work.build(commit, INSTALL)).rejects.toThrow('a lockfile is required');
    expect(await readdir(join(work.home, 'releases'))).toEqual([]);
  });

  it('that do not match the lockfile fail with npm’s own reason', async () => {
    const work = await workplace();
    const files = await application({ dependencies: { tiny: '1.0.0', 'left-pad': '1.3.0' } });
    const commit = await work.origin.commit('dev', files);
    await expect(work.build(commit, INSTALL)).rejects.toThrow(
      /^npm ci exited with 1: package-lock.json is not in sync with package.json: Missing: left-pad@1.3.0/,
    );
    expect(await readdir(join(work.home, 'dependencies'))).toEqual([]);
  });

  it('of workspaces are installed in the release itself', async () => {
    const work = await workplace();
    const lock = {
      lockfileVersion: 3,
      packages: {
        '': { workspaces: ['packages/*'] },
        'node_modules/part': { resolved: 'packages/part', link: true },
        'packages/part': { version: '1.0.0' },
      },
    };
    const commit = await work.origin.commit('dev', {
      'package.json': JSON.stringify({ workspaces: ['packages/*'] }),
      'package-lock.json': JSON.stringify(lock),
      'packages/part/package.json': '{"name":"part","version":"1.0.0"}',
    });
    const release = await work.build(commit, 'npm ci');
    expect(await readlink(join(release.directory, 'node_modules/part'))).toBe('../packages/part');
    expect(await work.build(commit, 'npm ci')).toMatchObject({ reused: true });
    expect(installs(work)).toBe(1);
  });
});
