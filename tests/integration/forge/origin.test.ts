import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOrigin } from '../../../deployer/forge/local/origin.ts';
import { openMirror } from '../../../deployer/release/mirror.ts';
import { Origin, plainGit, scratch } from '../release/fixture.ts';
import { developer } from './fixture.ts';

async function checkedOut(): Promise<{ root: string; home: string; checkout: string; head: string }> {
  const root = await scratch();
  const checkout = join(root, 'checkout');
  await plainGit(['init', '-q', '-b', 'trunk', checkout]);
  for (const text of ['1', '2', '3']) {
    await writeFile(join(checkout, 'file'), text);
    await developer(checkout, 'add', '.');
    await developer(checkout, 'commit', '-qm', text);
  }
  const head = (await developer(checkout, 'rev-parse', 'HEAD')).trim();
  return { root, home: join(root, 'home'), checkout, head };
}

/** The repository of a home: its refs, its HEAD and what else is in the home. */
async function made(home: string): Promise<{ refs: string; head: string; files: string[] }> {
  const origin = new Origin(join(home, 'origin.git'));
  return {
    refs: await origin.git(['for-each-ref', '--format=%(refname) %(objectname)']),
    head: await origin.git(['symbolic-ref', 'HEAD']),
    files: await readdir(home),
  };
}

function bothAt(commit: string): Awaited<ReturnType<typeof made>> {
  return {
    refs: `refs/heads/dev ${commit}\nrefs/heads/main ${commit}`,
    head: 'refs/heads/main',
    files: ['origin.git'],
  };
}

describe('the local forge’s repository', () => {
  it('is made from the checkout’s HEAD, with branches dev and main', async () => {
    const { home, checkout, head } = await checkedOut();
    await createOrigin({ home, checkout });
    expect(await made(home)).toEqual(bothAt(head));
  });

  it('is used as it is when it is there', async () => {
    const { home, checkout } = await checkedOut();
    await mkdir(home);
    const origin = await Origin.create(join(home, 'origin.git'));
    const other = await origin.commit('topic', { other: 'application' });
    await createOrigin({ home, checkout });
    await createOrigin({ home, checkout: null });
    expect(await origin.git(['for-each-ref', '--format=%(refname) %(objectname)'])).toBe(
      `refs/heads/topic ${other}`,
    );
  });

  it('is made from a detached HEAD and from a linked work tree', async () => {
    const { root, home, checkout, head } = await checkedOut();
    const linked = join(root, 'linked');
    await developer(checkout, 'worktree', 'add', '-q', '--detach', linked, 'HEAD~1');
    await createOrigin({ home, checkout: linked });
    expect(await made(home)).toEqual(bothAt((await developer(checkout, 'rev-parse', 'HEAD~1')).trim()));
    await developer(checkout, 'checkout', '-q', '--detach');
    const second = join(root, 'second');
    await createOrigin({ home: second, checkout });
    expect(await made(second)).toEqual(bothAt(head));
  });

  it('is made from a shallow clone, takes pushes from it, and can be mirrored', async () => {
    const { root, home, checkout, head } = await checkedOut();
    const shallow = join(root, 'shallow');
    await plainGit(['clone', '-q', '--depth=1', `file://${checkout}`, shallow]);
    await createOrigin({ home, checkout: shallow });
    expect(await made(home)).toEqual(bothAt(head));
    const origin = new Origin(join(home, 'origin.git'));
    await writeFile(join(shallow, 'file'), '4');
    await developer(shallow, 'commit', '-qam', '4');
    await developer(shallow, 'push', '-q', origin.directory, 'HEAD:dev');
    const directory = join(root, 'mirror.git');
    const mirror = await openMirror({ directory, remote: { url: origin.directory } });
    await mirror.fetch();
    expect((await mirror.resolve({ branch: 'dev' }))?.subject).toBe('4');
  });

  it.runIf(process.getuid?.() === 0)('is made from a checkout that another user owns', async () => {
    const { home, checkout, head } = await checkedOut();
    for (const path of ['.', '.git']) await chown(join(checkout, path), 12_345, 12_345);
    await createOrigin({ home, checkout });
    expect(await made(home)).toEqual(bothAt(head));
  });

  it('cannot be made from nothing, and says what to do', async () => {
    const { root, home, checkout } = await checkedOut();
    const empty = join(root, 'empty');
    await plainGit(['init', '-q', empty]);
    await expect(createOrigin({ home, checkout: empty })).rejects.toThrow(
      'has no commit yet: commit something',
    );
    const inside = join(checkout, 'inside');
    await mkdir(inside);
    await expect(createOrigin({ home, checkout: inside })).rejects.toThrow(
      'is not the top of a git repository',
    );
    await expect(createOrigin({ home, checkout: null })).rejects.toThrow('run npm start');
    expect(await readdir(home)).toEqual([]);
  });

  it('is not what is in the way under its name', async () => {
    const { home, checkout } = await checkedOut();
    await mkdir(join(home, 'origin.git'), { recursive: true });
    await expect(createOrigin({ home, checkout })).rejects.toThrow('is not a git repository: move it away');
  });

  it('runs its own hooks whatever the pusher has configured, and none of the checkout’s', async () => {
    const { home, checkout } = await checkedOut();
    const hook = join(checkout, '.git', 'hooks', 'post-checkout');
    await mkdir(join(checkout, '.git', 'hooks'), { recursive: true });
    await writeFile(hook, `#!/bin/sh\ntouch ${home}-executed\n`, { mode: 0o755 });
    await createOrigin({ home, checkout });
    expect(await readFile(join(home, 'origin.git', 'config'), 'utf8')).toContain('hooksPath = hooks');
    expect(await readdir(join(home, '..'))).not.toContain('home-executed');
  });
});
