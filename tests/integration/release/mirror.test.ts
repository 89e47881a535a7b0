import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMirror } from '../../../deployer/release/mirror.ts';
import type { Mirror } from '../../../deployer/release/types.ts';
import { Origin, plainGit, scratch } from './fixture.ts';

async function mirrored(...options: string[]): Promise<{ origin: Origin; mirror: Mirror; root: string }> {
  const root = await scratch();
  const origin = await Origin.create(join(root, 'origin.git'), ...options);
  const mirror = await openMirror({
    directory: join(root, 'mirror.git'),
    remote: { url: origin.directory },
  });
  return { origin, mirror, root };
}

/** A pack with one blob of its own, as each fetch leaves one. */
async function addPack(directory: string, text: string): Promise<void> {
  const blob = await plainGit([`--git-dir=${directory}`, 'hash-object', '-w', '--stdin'], text);
  await plainGit(
    [`--git-dir=${directory}`, 'pack-objects', '-q', join(directory, 'objects/pack/pack')],
    `${blob}\n`,
  );
}

describe('the mirror', () => {
  it('knows branches, tags, commits and files as of the last fetch', async () => {
    const { origin, mirror } = await mirrored();
    const files = { 'environments/dev.yaml': 'name: dev\n', 'environments/deep/x': '', README: 'hello' };
    const first = await origin.commit('dev', files, 'The first\n\nwith more');
    const second = await origin.commit('dev', { ...files, README: 'bye' });
    await origin.git(['tag', '-a', '-m', 'one', 'v1', first]);
    expect(await mirror.branches()).toEqual(new Map());
    await mirror.fetch();
    expect(await mirror.branches()).toEqual(new Map([['dev', second]]));
    expect(await mirror.resolve({ branch: 'dev' })).toMatchObject({ commit: second, parents: [first] });
    expect(await mirror.resolve({ tag: 'v1' })).toEqual({
      commit: first,
      tree: await origin.treeOf(first),
      subject: 'The first',
      author: 'A Developer',
      parents: [],
    });
    expect(await mirror.resolve({ commit: first })).toMatchObject({ commit: first });
    expect(await mirror.read(first, 'README')).toBe('hello');
    expect(await mirror.read(first, 'nothing')).toBeNull();
    expect(await mirror.read(first, 'environments')).toBeNull();
    expect(await mirror.list(first, 'environments')).toEqual(['dev.yaml']);
    expect(await mirror.list(first, 'nothing')).toEqual([]);
  });

  it('answers null for what is not there or cannot be a name', async () => {
    const { origin, mirror } = await mirrored();
    await origin.commit('dev', { a: '1' });
    await mirror.fetch();
    expect(await mirror.resolve({ branch: 'none' })).toBeNull();
    expect(await mirror.resolve({ branch: '--all' })).toBeNull();
    expect(await mirror.resolve({ tag: 'v1' })).toBeNull();
    expect(await mirror.resolve({ commit: 'dev' })).toBeNull();
    expect(await mirror.resolve({ commit: 'a'.repeat(40) })).toBeNull();
    expect(await mirror.read('HEAD', 'a')).toBeNull();
    expect(await mirror.list('HEAD', '.')).toEqual([]);
    await expect(mirror.mergeTree('dev', 'dev')).rejects.toThrow(TypeError);
  });

  it('follows force-pushes and deletions, also of a branch that becomes a directory', async () => {
    const { origin, mirror } = await mirrored();
    await origin.commit('dev', { a: '1' });
    await origin.commit('topic', { a: '1' });
    await mirror.fetch();
    const other = await origin.commit(null, { a: '2' });
    await origin.git(['update-ref', 'refs/heads/dev', other]);
    await origin.git(['update-ref', '-d', 'refs/heads/topic']);
    await origin.git(['update-ref', 'refs/heads/topic/one', other]);
    await mirror.fetch();
    expect(await mirror.branches()).toEqual(
      new Map([
        ['dev', other],
        ['topic/one', other],
      ]),
    );
  });

  it('merges trees, and says when they conflict', async () => {
    const { origin, mirror } = await mirrored();
    const base = await origin.commit('dev', { a: '1\n', b: '1\n' });
    await origin.git(['update-ref', 'refs/heads/main', base]);
    const theirs = await origin.commit('dev', { a: '2\n', b: '1\n' });
    const ours = await origin.commit('main', { a: '1\n', b: '2\n' });
    await mirror.fetch();
    expect(await mirror.mergeTree(ours, theirs)).toEqual({
      tree: await origin.tree({ a: '2\n', b: '2\n' }),
    });
    const clash = await origin.commit('main', { a: '3\n', b: '2\n' });
    await mirror.fetch();
    expect(await mirror.mergeTree(clash, theirs)).toEqual({ conflicts: ['a'] });
  });

  it('does not ask again while the forge shows that nothing was written since', async () => {
    const root = await scratch();
    const origin = await Origin.create(join(root, 'origin.git'));
    let state = 'one';
    const remote = { url: origin.directory, state: () => state };
    const mirror = await openMirror({ directory: join(root, 'mirror.git'), remote });
    const first = await origin.commit('dev', { a: '1' });
    await mirror.fetch();
    const second = await origin.commit('dev', { a: '2' });
    await mirror.fetch();
    expect(await mirror.resolve({ branch: 'dev' })).toMatchObject({ commit: first });
    state = 'another';
    await mirror.fetch();
    expect(await mirror.resolve({ branch: 'dev' })).toMatchObject({ commit: second });
  });

  it('tells in which files two trees differ, and nothing of one that is not there', async () => {
    const { origin, mirror } = await mirrored();
    const same = { 'db/schema.sql': '1', README: 'hello' };
    const before = await origin.commit('dev', { ...same, 'db/migrate/1.rb': '1', 'gone/a': '1', x: '1' });
    const after = await origin.commit('dev', { ...same, 'db/migrate/2.rb': '1', 'x/y': '1' });
    await mirror.fetch();
    const [one, other] = [await origin.treeOf(before), await origin.treeOf(after)];
    const paths = ['db/migrate/1.rb', 'db/migrate/2.rb', 'gone/a', 'x', 'x/y'];
    expect((await mirror.changed(one, other)).toSorted()).toEqual(paths);
    expect(await mirror.changed(one, one)).toEqual([]);
    expect(await mirror.changed('f'.repeat(40), other)).toEqual([]);
    expect(await mirror.changed('--output=x', other)).toEqual([]);
  });

  it('tells the commits of a range with their whole messages, children first', async () => {
    const { origin, mirror } = await mirrored();
    const first = await origin.commit('dev', { a: '1' }, 'One');
    const second = await origin.commit('dev', { a: '2' }, 'Two\n\nExpect: GET /\n\nand more');
    const third = await origin.commit('dev', { a: '3' }, 'Three');
    await mirror.fetch();
    const log = async (from: string | null, most = 10) =>
      (await mirror.log({ from, to: third, most })).map(({ commit, message }) => [commit, message.trimEnd()]);
    expect(await log(second)).toEqual([[third, 'Three']]);
    expect(await log(first)).toEqual([
      [third, 'Three'],
      [second, 'Two\n\nExpect: GET /\n\nand more'],
    ]);
    expect(await log(first, 1)).toEqual([[third, 'Three']]);
    expect(await log(null)).toEqual([[third, 'Three']]);
    expect(await log('a'.repeat(40))).toEqual([[third, 'Three']]);
    expect(await log('--all')).toEqual([[third, 'Three']]);
    expect(await log(third)).toEqual([]);
    expect(await mirror.log({ from: null, to: 'HEAD', most: 1 })).toEqual([]);
  });

  it('works with SHA-256 repositories', async () => {
    const root = await scratch();
    const origin = await Origin.create(join(root, 'origin.git'), '--object-format=sha256');
    await origin.commit('dev', { a: '1' });
    const directory = join(root, 'mirror.git');
    const mirror = await openMirror({ directory, remote: { url: origin.directory } });
    await mirror.fetch();
    expect((await mirror.resolve({ branch: 'dev' }))?.commit).toHaveLength(64);
  });

  it('is made from a shallow repository, and follows it', async () => {
    const { origin, root } = await mirrored();
    for (const a of ['1', '2', '3']) await origin.commit('dev', { a });
    const shallow = new Origin(join(root, 'shallow.git'));
    await plainGit([
      'clone',
      '-q',
      '--bare',
      '--depth=1',
      '--branch=dev',
      `file://${origin.directory}`,
      shallow.directory,
    ]);
    const remote = { url: shallow.directory };
    const mirror = await openMirror({ directory: join(root, 'second.git'), remote });
    await mirror.fetch();
    const next = await shallow.commit('dev', { a: '4' });
    await mirror.fetch();
    expect((await mirror.resolve({ branch: 'dev' }))?.commit).toBe(next);
  });

  it('is made anew when it was deleted or damaged', async () => {
    const { origin, mirror, root } = await mirrored();
    const directory = join(root, 'mirror.git');
    const first = await origin.commit('dev', { a: '1' });
    await mirror.fetch();
    await rm(directory, { recursive: true });
    await mirror.fetch();
    expect(await mirror.read(first, 'a')).toBe('1');

    for (const name of await readdir(join(directory, 'objects'))) {
      await rm(join(directory, 'objects', name), { recursive: true });
    }
    const second = await origin.commit('dev', { a: '2' });
    await mirror.fetch();
    expect(await mirror.read(second, 'a')).toBe('2');
    expect(await mirror.read(first, 'a')).toBe('1');
  });

  it('finds damage that reading ran into at the next fetch', async () => {
    const { origin, mirror, root } = await mirrored();
    const commit = await origin.commit('dev', { a: 'text' });
    await mirror.fetch();
    const packs = join(root, 'mirror.git', 'objects', 'pack');
    const pack = (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '';
    await chmod(join(packs, pack), 0o644);
    await writeFile(join(packs, pack), 'rubbish');
    await expect(mirror.read(commit, 'a')).rejects.toThrow(/git cat-file: .*pack/);
    await mirror.fetch();
    expect(await mirror.read(commit, 'a')).toBe('text');
  });

  it('opens over what a killed git left behind', async () => {
    const { origin, mirror, root } = await mirrored();
    await origin.commit('dev', { a: '1' });
    await mirror.fetch();
    const directory = join(root, 'mirror.git');
    await writeFile(join(directory, 'refs/forge/heads/dev.lock'), '');
    await writeFile(join(directory, 'packed-refs.lock'), '');
    const again = await openMirror({ directory, remote: { url: origin.directory } });
    const head = await origin.commit('dev', { a: '2' });
    await again.fetch();
    expect((await again.branches()).get('dev')).toBe(head);
    await expect(stat(join(directory, 'packed-refs.lock'))).rejects.toThrow('ENOENT');
  });

  it('does not pile up packs', async () => {
    const { origin, mirror, root } = await mirrored();
    const packs = join(root, 'mirror.git', 'objects', 'pack');
    const commit = await origin.commit('dev', { a: 'first' });
    await mirror.fetch();
    for (let copy = 0; copy < 60; copy += 1) await addPack(join(root, 'mirror.git'), `copy ${copy}`);
    expect((await readdir(packs)).filter((name) => name.endsWith('.pack')).length).toBeGreaterThan(60);
    await origin.commit('dev', { a: 'second' });
    await mirror.fetch();
    expect((await readdir(packs)).filter((name) => name.endsWith('.pack')).length).toBeLessThan(20);
    expect(await mirror.read(commit, 'a')).toBe('first');
  });

  it('says in git’s own words when the forge cannot be reached, without credentials', async () => {
    const root = await scratch();
    const remote = { url: join(root, 'nowhere.git') };
    const mirror = await openMirror({ directory: join(root, 'mirror.git'), remote });
    await expect(mirror.fetch()).rejects.toThrow(/nowhere\.git' does not appear to be a git repository/);
    await expect(mirror.fetch()).rejects.toThrow(/does not appear to be a git repository/);
    const http = { url: 'http://user:canary@127.0.0.1:1/x', env: {} };
    const other = await openMirror({ directory: join(root, 'mirror.git'), remote: http });
    const failure = await other.fetch().catch((error: unknown) => String(error));
    expect(failure).toContain('127.0.0.1');
    expect(failure).not.toContain('canary');
  });

  it('stops with the signal', async () => {
    const { mirror } = await mirrored();
    await expect(mirror.fetch(AbortSignal.abort(new Error('superseded')))).rejects.toThrow('superseded');
  });

  it('replaces what is no repository', async () => {
    const root = await scratch();
    const directory = join(root, 'mirror.git');
    await mkdir(directory);
    await writeFile(join(directory, 'HEAD'), 'rubbish');
    const mirror = await openMirror({ directory, remote: { url: root } });
    expect(await mirror.branches()).toEqual(new Map());
  });
});
