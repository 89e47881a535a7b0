import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localForge } from '../../../deployer/forge/local/forge.ts';
import { ForgeError, type Report } from '../../../deployer/forge/types.ts';
import { plainGit, scratch } from '../release/fixture.ts';
import { forged } from './fixture.ts';

type Status = Report & { type: 'status' };
type Revert = Report & { type: 'revert' };

function status(commit: string, more: Partial<Status> = {}): Status {
  return {
    type: 'status',
    commit,
    context: 'deploy/dev',
    state: 'pending',
    description: 'accepted – “now”',
    targetUrl: 'http://127.0.0.1:9000/deployments/1',
    at: '2026-11-20T12:00:00.000Z',
    ...more,
  };
}

function revertOf(commit: string, more: Partial<Revert> = {}): Revert {
  const message = 'Revert the change: health answered 503\n\nDeployment 1 was rolled back.';
  return {
    type: 'revert',
    commit,
    branch: 'dev',
    environment: 'dev',
    how: 'push',
    message,
    text: '**What failed**\n\nservice: GET /_deploy/health gave 503',
    deployment: '1',
    targetUrl: 'http://deployer.example/deployments/1',
    at: '2026-11-20T12:00:00.000Z',
    ...more,
  };
}

describe('a status on the local forge', () => {
  it('is one JSON object a line in the commit’s note, oldest first', async () => {
    const { origin, forge, first } = await forged();
    await forge.send(status(first));
    await forge.send(status(first, { state: 'success', at: '2026-11-20T12:00:05.000Z' }));
    const note = await origin.git(['log', '-1', '--notes=deploy', '--format=%N', first]);
    expect(note.split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        context: 'deploy/dev',
        state: 'pending',
        description: 'accepted – “now”',
        target_url: 'http://127.0.0.1:9000/deployments/1',
        at: '2026-11-20T12:00:00.000Z',
      },
      expect.objectContaining({ state: 'success', at: '2026-11-20T12:00:05.000Z' }),
    ]);
  });

  it('is read in a clone after the notes were fetched', async () => {
    const { home, origin, forge, first } = await forged();
    await forge.send(status(first));
    const clone = join(home, 'clone');
    await plainGit(['clone', '-q', origin.directory, clone]);
    await plainGit(['-C', clone, 'fetch', '-q', 'origin', 'refs/notes/deploy:refs/notes/deploy']);
    expect(await plainGit(['-C', clone, 'log', '-1', '--notes=deploy'])).toContain('"state":"pending"');
  });

  it('is there once when it is sent again after a crash', async () => {
    const { origin, forge, first } = await forged();
    for (const report of [status(first), status(first), status(first, { state: 'error' }), status(first)]) {
      await forge.send(report);
    }
    const note = await origin.git(['notes', '--ref=deploy', 'show', first]);
    expect(note.split('\n')).toHaveLength(2);
  });

  it('is not lost when many are sent at once, on one commit and on several', async () => {
    const { origin, forge, first } = await forged();
    const second = await origin.commit('dev', { a: '2\n' });
    const reports = ['a', 'b', 'c'].flatMap((suite) =>
      [first, second].map((commit) => status(commit, { context: `verify/dev/${suite}` })),
    );
    await Promise.all(reports.map(async (report) => await forge.send(report)));
    for (const commit of [first, second]) {
      expect((await origin.git(['notes', '--ref=deploy', 'show', commit])).split('\n')).toHaveLength(3);
    }
  });

  it('keeps what others wrote into the notes', async () => {
    const { origin, forge, first } = await forged();
    await origin.git(['notes', '--ref=deploy', 'add', '-m', 'looks good', first]);
    await forge.send(status(first));
    expect(await origin.git(['notes', '--ref=deploy', 'show', first])).toMatch(/^looks good\n\{/);
  });

  it('is written although a git that was killed has left its lock, and not while another one works', async () => {
    const { origin, forge, first } = await forged();
    await forge.send(status(first));
    const lock = join(origin.directory, 'refs/notes/deploy.lock');
    await writeFile(lock, '');
    await expect(forge.send(status(first, { state: 'success' }))).rejects.toThrow('deploy.lock');
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(lock, longAgo, longAgo);
    await forge.send(status(first, { state: 'success' }));
    expect(await origin.git(['notes', '--ref=deploy', 'show', first])).toContain('success');
  });

  it('of a commit that is not there is refused for good', async () => {
    const { forge } = await forged();
    const sent = forge.send(status('a'.repeat(40)));
    await expect(sent).rejects.toMatchObject({ name: 'ForgeError', retryable: false });
    await expect(forge.send(status('--all'))).rejects.toThrow(ForgeError);
  });

  it('is tried again later when the repository is not there', async () => {
    const forge = localForge({ home: await scratch() });
    await expect(forge.send(status('a'.repeat(40)))).rejects.toMatchObject({
      name: 'ForgeError',
      retryable: true,
    });
  });
});

describe('a tag on the local forge', () => {
  it('is annotated, by the deployer, and the same one again is no error', async () => {
    const { origin, forge, first } = await forged();
    const report: Report = {
      type: 'tag',
      commit: first,
      name: 'v2026.11.20',
      message: '# Deployment 1\n\nall suites',
    };
    await forge.send(report);
    await forge.send(report);
    expect(await origin.git(['cat-file', '-t', 'v2026.11.20'])).toBe('tag');
    const format = '--format=%(contents)%(taggername) %(taggeremail) %(*objectname)';
    expect(await origin.git(['for-each-ref', format, 'refs/tags'])).toBe(
      `# Deployment 1\n\nall suites\ndeployer <deployer@localhost> ${first}`,
    );
    expect(await forge.tags()).toEqual(['v2026.11.20']);
  });

  it('that is at another commit or has an impossible name is refused for good', async () => {
    const { origin, forge, first } = await forged();
    const second = await origin.commit('dev', { a: '2\n' });
    await forge.send({ type: 'tag', commit: first, name: 'v1', message: 'one' });
    const again = forge.send({ type: 'tag', commit: second, name: 'v1', message: 'one' });
    await expect(again).rejects.toMatchObject({
      message: expect.stringContaining('v1 is there already'),
      retryable: false,
    });
    for (const name of ['-d', '--exec=x', 'a b', '']) {
      const sent = forge.send({ type: 'tag', commit: first, name, message: 'x' });
      await expect(sent).rejects.toMatchObject({ retryable: false });
    }
    expect(await forge.tags()).toEqual(['v1']);
  });
});

describe('a revert on the local forge', () => {
  it('takes the change back on the branch itself, and later ones stay', async () => {
    const { origin, forge } = await forged();
    const bad = await origin.commit('dev', { a: '2\n', b: '1\n' });
    const later = await origin.commit('dev', { a: '2\n', b: '3\n' });
    await forge.send(revertOf(bad));
    const head = await origin.head('dev');
    expect(await origin.treeOf(head)).toBe(await origin.tree({ a: '1\n', b: '3\n' }));
    expect(await origin.git(['log', '-1', '--format=%P%n%an <%ae>%n%B', head])).toBe(
      [
        later,
        'deployer <deployer@localhost>',
        'Revert the change: health answered 503',
        '',
        '**What failed**',
        '',
        'service: GET /_deploy/health gave 503',
        '',
        `This reverts commit ${bad}`,
        '',
        'Reverted-by: deployer, deployment 1',
      ].join('\n'),
    );
  });

  it('has no second effect, not even when the change was made again meanwhile', async () => {
    const { origin, forge } = await forged();
    const bad = await origin.commit('dev', { a: '2\n', b: '1\n' });
    await forge.send(revertOf(bad));
    const reverted = await origin.head('dev');
    await forge.send(revertOf(bad));
    expect(await origin.head('dev')).toBe(reverted);
    const again = await origin.commit('dev', { a: '2\n', b: '1\n' }, 'Again, mended elsewhere');
    await forge.send(revertOf(bad));
    expect(await origin.head('dev')).toBe(again);
  });

  it('as a pull request is a branch that can be merged', async () => {
    const { origin, forge } = await forged();
    const bad = await origin.commit('dev', { a: '2\n', b: '1\n' });
    const report = revertOf(bad, { how: 'pull-request' });
    await forge.send(report);
    const branch = `revert/${bad.slice(0, 8)}`;
    const proposed = await origin.head(branch);
    expect(await origin.head('dev')).toBe(bad);
    expect(await origin.treeOf(proposed)).toBe(await origin.tree({ a: '1\n', b: '1\n' }));
    await forge.send(report);
    expect(await origin.head(branch)).toBe(proposed);
    const merged = await forge.merge({ base: 'dev', head: branch, message: 'Merge the revert' });
    expect(await origin.treeOf(merged)).toBe(await origin.treeOf(proposed));
  });

  it('of a merge goes back to the branch that was merged into', async () => {
    const { origin, forge } = await forged();
    await origin.commit('dev', { a: '2\n', b: '1\n' });
    await origin.commit('main', { a: '1\n', b: '2\n' });
    const merge = await forge.merge({ base: 'main', head: 'dev', message: "Merge branch 'dev' into main" });
    await forge.send(revertOf(merge, { branch: 'main' }));
    expect(await origin.treeOf(await origin.head('main'))).toBe(await origin.tree({ a: '1\n', b: '2\n' }));
  });

  it('of the very first commit leaves an empty tree', async () => {
    const { origin, forge, first } = await forged();
    await forge.send(revertOf(first));
    expect(await origin.treeOf(await origin.head('dev'))).toBe(await origin.tree({}));
  });

  it('that conflicts with later commits is refused for good and names the files', async () => {
    const { origin, forge } = await forged();
    const bad = await origin.commit('dev', { a: '2\n', b: '1\n' });
    const head = await origin.commit('dev', { a: '3\n', b: '1\n' });
    const sent = forge.send(revertOf(bad));
    await expect(sent).rejects.toMatchObject({
      message: expect.stringMatching(/later commits changed a$/),
      retryable: false,
    });
    expect(await origin.head('dev')).toBe(head);
    await expect(forge.send(revertOf(bad))).rejects.toMatchObject({ retryable: false });
    const note = await origin.git(['log', '-1', '--notes=deploy', '--format=%N', bad]);
    expect(
      note
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([
      {
        context: 'revert/dev',
        state: 'failure',
        description: `not reverted: ${bad.slice(0, 8)} cannot be reverted on dev: later commits changed a`,
        target_url: 'http://deployer.example/deployments/1',
        at: '2026-11-20T12:00:00.000Z',
      },
    ]);
  });

  it('has nothing to do when the commit or the branch is gone', async () => {
    const { origin, forge, first } = await forged();
    const bad = await origin.commit('dev', { a: '2\n', b: '1\n' });
    await origin.git(['update-ref', 'refs/heads/dev', first]);
    await forge.send(revertOf(bad));
    expect(await origin.head('dev')).toBe(first);
    await forge.send(revertOf(bad, { branch: 'nowhere' }));
    await expect(forge.send(revertOf(bad, { branch: '--all' }))).rejects.toMatchObject({ retryable: false });
  });
});

describe('a merge on the local forge', () => {
  it('is a merge commit with the message that was given', async () => {
    const { origin, forge, first } = await forged();
    const dev = await origin.commit('dev', { a: '2\n', b: '1\n' });
    const merged = await forge.merge({ base: 'main', head: 'dev', message: "Merge branch 'dev' into main" });
    expect(await origin.head('main')).toBe(merged);
    expect(await origin.git(['log', '-1', '--format=%P|%s', merged])).toBe(
      `${first} ${dev}|Merge branch 'dev' into main`,
    );
    expect(await origin.treeOf(merged)).toBe(await origin.treeOf(dev));
  });

  it('with nothing to merge answers the present head', async () => {
    const { origin, forge, first } = await forged();
    expect(await forge.merge({ base: 'main', head: 'dev', message: 'x' })).toBe(first);
    expect(await origin.head('main')).toBe(first);
  });

  it('that conflicts fails, names the files and moves nothing', async () => {
    const { origin, forge } = await forged();
    await origin.commit('dev', { a: '2\n', b: '2\n' });
    const main = await origin.commit('main', { a: '3\n', b: '1\n' });
    await expect(forge.merge({ base: 'main', head: 'dev', message: 'x' })).rejects.toThrow(
      'dev conflicts with main in a: merge main into dev first',
    );
    expect(await origin.head('main')).toBe(main);
  });

  it('of branches that do not exist fails and says which', async () => {
    const { forge } = await forged();
    await expect(forge.merge({ base: 'main', head: 'topic', message: 'x' })).rejects.toThrow(
      'no branch "topic"',
    );
    await expect(forge.merge({ base: '--all', head: 'dev', message: 'x' })).rejects.toThrow(
      'no branch "--all"',
    );
    await expect(forge.merge({ base: 'main', head: 'a'.repeat(40), message: 'x' })).rejects.toThrow(
      'could not be merged',
    );
  });

  it('loses no push that comes at the same time', async () => {
    const { origin, forge } = await forged();
    await origin.commit('dev', { a: '2\n', b: '1\n' });
    await origin.git(['update-ref', 'refs/heads/topic', await origin.head('main')]);
    const topic = await origin.commit('topic', { a: '1\n', b: '1\n', c: 'new\n' });
    const merges = ['dev', 'topic'].map(
      async (head) => await forge.merge({ base: 'main', head, message: head }),
    );
    await Promise.all(merges);
    const tip = await origin.head('main');
    for (const head of [await origin.head('dev'), topic]) {
      expect(await origin.git(['merge-base', head, tip])).toBe(head);
    }
  });
});
