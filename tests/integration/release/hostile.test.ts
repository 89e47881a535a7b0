import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../../../deployer/release/git.ts';
import { openMirror } from '../../../deployer/release/mirror.ts';
import { Origin, scratch, workshop, type Content } from './fixture.ts';

async function place(): Promise<{
  home: string;
  origin: Origin;
  marker: string;
  untouched: () => Promise<void>;
}> {
  const home = await scratch();
  const marker = join(home, 'executed');
  return {
    home,
    marker,
    origin: await Origin.create(join(home, 'origin.git')),
    untouched: async () => await expect(stat(marker)).rejects.toThrow('ENOENT'),
  };
}

describe('hostile names', () => {
  it('of branches and tags execute nothing and are no branches', async () => {
    const { home, origin, marker, untouched } = await place();
    const commit = await origin.commit('dev', { a: '1' });
    const evil = [
      `--upload-pack=touch$\{IFS}${marker}`,
      '-c',
      '--exec=touch',
      '--all',
      '$(touch)',
      '`touch`',
      ';touch',
    ];
    for (const name of evil) {
      await origin.git(['update-ref', `refs/heads/${name}`, commit]);
      await origin.git(['update-ref', `refs/tags/${name}`, commit]);
    }
    const mirror = await openMirror({
      directory: join(home, 'mirror.git'),
      remote: { url: origin.directory },
    });
    await mirror.fetch();
    expect([...(await mirror.branches()).keys()].sort()).toEqual(['$(touch)', ';touch', '`touch`', 'dev']);
    expect(await mirror.resolve({ branch: evil[0] ?? '' })).toBeNull();
    expect(await mirror.resolve({ tag: evil[0] ?? '' })).toBeNull();
    await untouched();
  });

  it('of remotes are refused before git sees them, and by git itself', async () => {
    const { home, marker, untouched } = await place();
    for (const url of [
      `ext::sh -c "touch% ${marker}"`,
      `--upload-pack=touch ${marker}`,
      'file:///etc',
      '-x',
      '../x',
    ]) {
      const opening = openMirror({ directory: join(home, 'mirror.git'), remote: { url } });
      await expect(opening).rejects.toThrow('must be an absolute path');
    }
    await expect(git(['ls-remote', `ext::touch ${marker}`])).rejects.toThrow("transport 'ext' not allowed");
    await expect(git(['ls-remote', '/etc'])).rejects.toThrow("transport 'file' not allowed");
    await untouched();
  });
});

describe('configuration', () => {
  it('of a user or the caller’s environment has no say', async () => {
    const { home, origin, marker, untouched } = await place();
    await origin.commit('dev', { a: '1' });
    await writeFile(
      join(home, '.gitconfig'),
      `[core]\n\tfsmonitor = touch ${marker}\n[alias]\n\tx = !touch ${marker}\n`,
    );
    const before = { ...process.env };
    Object.assign(process.env, {
      HOME: home,
      GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
      GIT_CONFIG_PARAMETERS: `'alias.y=!touch ${marker}'`,
      GIT_DIR: '/nowhere',
      GIT_TRACE: marker,
    });
    try {
      await expect(git(['x'])).rejects.toThrow("'x' is not a git command");
      await expect(git(['y'])).rejects.toThrow("'y' is not a git command");
      expect(String(await git(['for-each-ref'], { repository: origin.directory }))).toContain(
        'refs/heads/dev',
      );
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
    await untouched();
  });

  it('of the mirror itself starts no hook and no file system monitor', async () => {
    const { home, origin, marker, untouched } = await place();
    const directory = join(home, 'mirror.git');
    const mirror = await openMirror({ directory, remote: { url: origin.directory } });
    await mkdir(join(directory, 'hooks'));
    for (const hook of ['reference-transaction', 'post-checkout', 'post-index-change']) {
      await writeFile(join(directory, 'hooks', hook), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    }
    await origin.git([`--git-dir=${directory}`, 'config', 'core.fsmonitor', `touch ${marker}`]);
    const commit = await origin.commit('dev', { a: '1' });
    await mirror.fetch();
    expect((await workshop(new Origin(directory), home).build(commit)).reused).toBe(false);
    await untouched();
  });

  it('of a bare repository inside a tree is only files', async () => {
    const { home, origin, marker, untouched } = await place();
    const config = `[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tfsmonitor = touch ${marker}\n`;
    const hook = { program: `#!/bin/sh\ntouch ${marker}\n` };
    const commit = await origin.commit('dev', {
      'sub/HEAD': 'ref: refs/heads/main\n',
      'sub/config': `${config}[alias]\n\tx = !touch ${marker}\n`,
      'sub/objects/info/x': '',
      'sub/refs/heads/x': '',
      'sub/hooks/reference-transaction': hook,
      'sub/hooks/post-checkout': hook,
    });
    const { directory } = await workshop(origin, home).build(commit);
    const here = process.cwd();
    process.chdir(join(directory, 'sub'));
    try {
      await expect(git(['for-each-ref'])).rejects.toThrow("safe.bareRepository is 'explicit'");
      await expect(git(['x'])).rejects.toThrow('not a git command');
    } finally {
      process.chdir(here);
    }
    await untouched();
  });
});

describe('attributes in a tree', () => {
  it('change nothing of what is written', async () => {
    const { home, origin, marker, untouched } = await place();
    const files: Record<string, Content> = {
      '.gitattributes': [
        '*.id ident',
        '*.eol text eol=crlf',
        '*.utf16 text working-tree-encoding=UTF-16',
        '*.subst export-subst',
        '*.hidden export-ignore',
        '*.filtered filter=evil',
        '[attr]all ident text eol=crlf export-subst filter=evil',
        '*.all all',
      ].join('\n'),
      'a.id': '$Id$\n',
      'a.eol': 'one\ntwo\n',
      'a.utf16': 'text\n',
      'a.subst': '$Format:%H$\n',
      'a.hidden': 'here\n',
      'a.filtered': 'plain\n',
      'a.all': '$Id$ $Format:%H$\n',
      'deep/.gitattributes': '* eol=crlf filter=evil',
      'deep/a': 'one\ntwo\n',
    };
    const commit = await origin.commit('dev', files);
    const directory = join(home, 'mirror.git');
    const mirror = await openMirror({ directory, remote: { url: origin.directory } });
    await mirror.fetch();
    await origin.git([`--git-dir=${directory}`, 'config', 'filter.evil.smudge', `touch ${marker}`]);
    const release = await workshop(new Origin(directory), home).build(commit);
    for (const [path, content] of Object.entries(files)) {
      expect([path, await readFile(join(release.directory, path), 'utf8')]).toEqual([path, content]);
    }
    expect(await readFile(join(directory, 'info', 'attributes'), 'utf8')).toBe(
      '* -text -ident -filter -working-tree-encoding -export-ignore -export-subst\n',
    );
    await untouched();
  });
});

const ZERO_WIDTH = '\u200c';
const REFUSED: [string, Record<string, Content>, RegExp][] = [
  ['a submodule', { sub: { mode: '160000', id: 'a'.repeat(40) } }, /sub is a submodule/],
  ...[
    '.git',
    '.GIT',
    '.Git',
    'git~1',
    'GIT~2',
    `.g${ZERO_WIDTH}it`,
    '.git ',
    '.git.',
    '.git::$INDEX_ALLOCATION',
  ].flatMap((name): [string, Record<string, Content>, RegExp][] => [
    [`a file ${JSON.stringify(name)}`, { [name]: 'x' }, /may not be in a tree/],
    [
      `a directory ${JSON.stringify(name)}`,
      { [`deep/${name}/hooks/post-checkout`]: 'x' },
      /may not be in a tree/,
    ],
  ]),
  ['a step up', { '..': 'x' }, /may not be in a tree/],
  ['a directory that is a step up', { 'a/../../b': 'x' }, /may not be in a tree/],
  ['an absolute link', { a: { link: '/etc/passwd' } }, /a is a link out of the tree/],
  ['an escaping link', { 'deep/a': { link: '../../etc' } }, /link out of the tree/],
  ['a link that leaves and comes back', { a: { link: '../releases/x' } }, /link out of the tree/],
  [
    'a link that escapes by another',
    { 'p/q/up': { link: '../..' }, e: { link: 'p/q/up/..' } },
    /e is a link out/,
  ],
  [
    'a link that escapes by a chain',
    { a: { link: 'b/..' }, b: { link: 'c' }, c: { link: '..' } },
    /link out of the tree/,
  ],
  ['a loop of links', { a: { link: 'b' }, b: { link: 'a' } }, /link out of the tree/],
  ['a link around node_modules', { a: { link: 'node_modules/../x' } }, /link out of the tree/],
];

describe('a tree', () => {
  it.each(REFUSED)('with %s is refused', async (_what, files, reason) => {
    const { home, origin } = await place();
    const commit = await origin.commit('dev', { README: 'x', ...files });
    await expect(workshop(origin, home).build(commit)).rejects.toThrow(reason);
    expect(await readdir(join(home, 'releases'))).toEqual([]);
  });

  it('with a name that is not UTF-8 is refused', async () => {
    const { home, origin } = await place();
    const blob = await origin.git(['hash-object', '-w', '--stdin'], 'x');
    const row = Buffer.concat([Buffer.from(`100644 blob ${blob}\tx`), Buffer.from([0xff, 0])]);
    const tree = await origin.git(['mktree', '-z'], row);
    const commit = await origin.git(['commit-tree', '-m', 'x', tree]);
    await expect(workshop(origin, home).build(commit)).rejects.toThrow('not UTF-8');
  });

  it('with links that stay inside is written as it is', async () => {
    const { home, origin } = await place();
    const commit = await origin.commit('dev', {
      'a/b/file': 'x',
      'a/up': { link: '../a/b/../b/file' },
      alias: { link: 'a/b' },
      through: { link: 'alias/../up' },
      dangling: { link: 'nothing/here' },
      tool: { link: 'node_modules/.bin/tool' },
      root: { link: '.' },
    });
    const { directory } = await workshop(origin, home).build(commit);
    expect(await readFile(join(directory, 'through'), 'utf8')).toBe('x');
  });

  it('that git would not check out does not even reach the mirror', async () => {
    const { home, origin } = await place();
    await origin.commit('dev', { '.GIT/config': 'x' });
    const mirror = await openMirror({
      directory: join(home, 'mirror.git'),
      remote: { url: origin.directory },
    });
    await expect(mirror.fetch()).rejects.toThrow(/hasDotgit/i);
  });
});
