import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMirror } from '../../../deployer/release/mirror.ts';
import { cacheDirectory } from '../../../deployer/release/releases.ts';
import { Origin, scratch, workshop, type Content, type Workshop } from './fixture.ts';

const FILES: Record<string, Content> = {
  README: 'hello\n',
  'bin/run': { program: '#!/bin/sh\necho run\n' },
  'deep/er/file': Buffer.from([0, 255, 13, 10]),
  link: { link: 'deep/er/file' },
  'deep-er': 'sorts between deep and deep/',
};

async function workplace(...options: string[]): Promise<Workshop & { origin: Origin }> {
  const home = await scratch();
  const origin = await Origin.create(join(home, 'origin.git'), ...options);
  return { origin, ...workshop(origin, home) };
}

async function edit(file: string, text: string): Promise<void> {
  await chmod(file, 0o644);
  await writeFile(file, text);
}

describe('a release', () => {
  it('is the files of the tree, read-only, under the tree’s name', async () => {
    const { origin, build, home } = await workplace();
    const commit = await origin.commit('dev', FILES);
    const release = await build(commit);
    const tree = await origin.treeOf(commit);
    expect(release).toEqual({
      tree,
      directory: join(home, 'releases', tree),
      reused: false,
      dependencies: 'none',
    });
    const at = (path: string): string => join(release.directory, path);
    expect(await readFile(at('deep/er/file'))).toEqual(FILES['deep/er/file']);
    expect(await readFile(at('link'))).toEqual(FILES['deep/er/file']);
    const modes = await Promise.all(
      ['README', 'bin/run', 'bin', '.'].map(async (path) => (await stat(at(path))).mode & 0o777),
    );
    expect(modes).toEqual([0o444, 0o555, 0o555, 0o555]);
    expect(await readdir(join(home, 'releases'))).toEqual([tree, `${tree}.json`]);
  });

  it.each(['sha1', 'sha256'])('is checked against a %s tree and used again', async (format) => {
    const { origin, build } = await workplace(`--object-format=${format}`);
    const commit = await origin.commit('dev', FILES);
    expect((await build(commit)).reused).toBe(false);
    expect((await build(commit)).reused).toBe(true);
    const same = await origin.commit('main', FILES, 'The same tree');
    expect((await build(same)).reused).toBe(true);
  });

  it('is built once by two environments that ask at the same time', async () => {
    const { origin, build } = await workplace();
    const commit = await origin.commit('dev', FILES);
    const releases = await Promise.all([build(commit), build(commit), build(commit)]);
    expect(releases.filter(({ reused }) => !reused)).toHaveLength(1);
  });

  it.each<[string, (directory: string) => Promise<unknown>]>([
    ['README was changed', (at) => edit(join(at, 'README'), 'HELLO\n')],
    ['README is missing', (at) => rm(join(at, 'README'))],
    ['README has another mode', (at) => chmod(join(at, 'README'), 0o755)],
    ['README is of another type', (at) => rm(join(at, 'README')).then(() => mkdir(join(at, 'README')))],
    ['link was changed', (at) => rm(join(at, 'link')).then(() => symlink('README', join(at, 'link')))],
    ['deep/evil.js is not in the tree', (at) => writeFile(join(at, 'deep/evil.js'), '')],
    ['node_modules is not in the tree', (at) => symlink('/tmp', join(at, 'node_modules'))],
    [
      'deep is of another type',
      async (at) => {
        await rename(join(at, 'deep'), `${at}-elsewhere`);
        await symlink(`${at}-elsewhere`, join(at, 'deep'));
      },
    ],
  ])('is built again when %s', async (difference, tamper) => {
    const { origin, build, lines } = await workplace();
    const commit = await origin.commit('dev', FILES);
    const { directory } = await build(commit);
    await chmod(directory, 0o755);
    await chmod(join(directory, 'deep'), 0o755);
    await tamper(directory);
    expect((await build(commit)).reused).toBe(false);
    expect(lines.join()).toContain(`(${difference})`);
    expect(await readFile(join(directory, 'README'), 'utf8')).toBe('hello\n');
    expect((await lstat(join(directory, 'deep'))).isDirectory()).toBe(true);
    expect((await build(commit)).reused).toBe(true);
  });

  it('is built again when what is known of it was lost, damaged or forged', async () => {
    const { origin, build } = await workplace();
    const commit = await origin.commit('dev', FILES);
    const { directory } = await build(commit);
    const manifest = `${directory}.json`;
    const text = await readFile(manifest, 'utf8');
    await rm(manifest);
    expect((await build(commit)).reused).toBe(false);
    for (const forged of ['', '{}', text.slice(0, 50), text.replace('"100755"', '"100644"')]) {
      await writeFile(manifest, forged);
      expect((await build(commit)).reused).toBe(false);
    }
    await writeFile(manifest, text.replace(/,\{"mode":"120000"[^}]*\}/, ''));
    expect(await readFile(manifest, 'utf8')).not.toBe(text);
    expect((await build(commit)).reused).toBe(false);
  });

  it('leaves nothing behind when it is stopped or the tree is not there', async () => {
    const { origin, releases, build, home } = await workplace();
    const commit = await origin.commit('dev', FILES);
    await expect(build(commit, undefined, AbortSignal.abort(new Error('superseded')))).rejects.toThrow(
      'superseded',
    );
    const missing = { commit, tree: 'a'.repeat(40), install: undefined, log: () => {} };
    const signal = new AbortController().signal;
    await expect(releases.build({ ...missing, signal })).rejects.toThrow('could not be written: git ls-tree');
    await expect(releases.build({ ...missing, tree: '../x', signal })).rejects.toThrow(TypeError);
    expect(await readdir(join(home, 'releases')).catch(() => [])).toEqual([]);
  });

  it('is refused when a blob is damaged in the mirror', async () => {
    const { origin, build } = await workplace();
    const commit = await origin.commit('dev', FILES);
    const blob = await origin.git(['rev-parse', `${commit}:README`]);
    await rm(join(origin.directory, 'objects', blob.slice(0, 2), blob.slice(2)));
    await expect(build(commit)).rejects.toThrow('README is damaged in the mirror');
  });

  it('is of an empty tree too', async () => {
    const { origin, build } = await workplace();
    const release = await build(await origin.commit('dev', {}));
    expect(await readdir(release.directory)).toEqual([]);
    expect((await build(await origin.commit('dev', {}))).reused).toBe(true);
  });
});

describe('an install command that is not npm’s', () => {
  const script =
    "require('node:fs').writeFileSync('made.txt', process.cwd() + Object.keys(process.env).sort())";

  it('runs once in the release itself, before that is read-only', async () => {
    const { origin, build, ran } = await workplace();
    const commit = await origin.commit('dev', { 'make.cjs': script });
    process.env['CANARY_SECRET'] = 'x';
    const first = await build(commit, 'node make.cjs');
    delete process.env['CANARY_SECRET'];
    expect(first).toMatchObject({ reused: false, dependencies: 'installed' });
    const made = await readFile(join(first.directory, 'made.txt'), 'utf8');
    expect(made).toContain(first.directory);
    expect(made).not.toContain('CANARY');
    expect((await stat(join(first.directory, 'made.txt'))).mode & 0o222).toBe(0);
    expect(await build(commit, 'node make.cjs')).toMatchObject({ reused: true, dependencies: 'reused' });
    expect(ran).toEqual([['node', 'make.cjs']]);
  });

  it('fails the build when it changes a file of the tree, and says which', async () => {
    const { origin, build } = await workplace();
    const commit = await origin.commit('dev', {
      'make.cjs': "require('node:fs').appendFileSync('make.cjs', ' ')",
    });
    await expect(build(commit, 'node make.cjs')).rejects.toThrow('make.cjs was changed');
    await expect(build(commit, 'node make.cjs')).rejects.toThrow('node changed a file of the tree');
  });

  it('fails the build with its exit code and reason', async () => {
    const { origin, build } = await workplace();
    const failing = "console.log('starting'); console.error('error: no disk'); process.exit(3)";
    const commit = await origin.commit('dev', { 'make.cjs': failing });
    await expect(build(commit, 'node make.cjs')).rejects.toThrow(
      /^node make\.cjs exited with 3: error: no disk$/,
    );
    await expect(build(commit, 'no-such-program')).rejects.toThrow('cannot start "no-such-program"');
  });

  it('makes a release of its own when the same tree is built with another', async () => {
    const { origin, build } = await workplace();
    const commit = await origin.commit('dev', { 'make.cjs': script });
    const plain = await build(commit);
    const made = await build(commit, 'node make.cjs');
    expect(made.directory).toMatch(new RegExp(`^${plain.directory}-[0-9a-f]{8}$`));
    expect((await build(commit)).reused).toBe(true);
    expect((await build(commit, 'node make.cjs')).reused).toBe(true);
  });
});

describe('pruning', () => {
  it('removes releases that nobody keeps, and what was left unfinished', async () => {
    const { origin, build, releases, home } = await workplace();
    const kept = await build(await origin.commit('dev', { a: 'kept' }));
    const gone = await build(await origin.commit('dev', { a: 'gone' }));
    await mkdir(`${gone.directory}.tmp-123`);
    await mkdir(`${kept.directory}.tmp-123`);
    await mkdir(cacheDirectory(home, gone.tree), { recursive: true });
    await mkdir(cacheDirectory(home, kept.tree), { recursive: true });
    await mkdir(join(home, 'cache', 'npm'));
    await releases.prune(new Set([kept.tree]));
    expect(await readdir(join(home, 'releases'))).toEqual([kept.tree, `${kept.tree}.json`]);
    expect((await readdir(join(home, 'cache'))).sort()).toEqual(['npm', kept.tree].sort());
  });

  it('spares what is asked for while it runs', async () => {
    const { origin, build, releases } = await workplace();
    const commit = await origin.commit('dev', FILES);
    await build(commit);
    const [, release] = await Promise.all([releases.prune(new Set()), build(commit)]);
    expect(await readFile(join(release.directory, 'README'), 'utf8')).toBe('hello\n');
    await releases.prune(new Set());
    await expect(stat(release.directory)).rejects.toThrow('ENOENT');
  });

  it('has nothing to do in a new home', async () => {
    const { home, releases } = await workplace();
    await releases.prune(new Set());
    expect(await readdir(home)).toEqual(['origin.git']);
  });
});

it('builds from a mirror what was pushed', async () => {
  const home = await scratch();
  const origin = await Origin.create(join(home, 'origin.git'));
  const commit = await origin.commit('dev', FILES);
  const directory = join(home, 'mirror.git');
  const mirror = await openMirror({ directory, remote: { url: origin.directory } });
  await mirror.fetch();
  const { build } = workshop(new Origin(directory), home);
  expect((await build(commit)).reused).toBe(false);
});
