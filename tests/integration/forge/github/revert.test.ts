import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../deployer/forge/types.ts';
import { githubPlace, type GitHubPlace } from './place.ts';

type Revert = Report & { type: 'revert' };

const revertOf = (commit: string, more: Partial<Revert> = {}): Revert => ({
  type: 'revert',
  commit,
  branch: 'main',
  environment: 'prod',
  how: 'pull-request',
  message: 'Revert the change: health answered 503\n\nDeployment d1 was rolled back.',
  text: '`Deployment d1` was rolled back.',
  deployment: 'd1',
  targetUrl: 'http://deployer.example/deployments/d1',
  at: '2026-11-20T12:00:00.000Z',
  ...more,
});

/** What a branch of GitHub holds now. */
async function filesOf({ work }: GitHubPlace, branch: string): Promise<Record<string, string>> {
  await work.git('fetch', '-q', work.origin, branch);
  const names = (await work.git('ls-tree', '--name-only', 'FETCH_HEAD')).split('\n').filter(Boolean);
  const files = names.map(async (name) => [name, await work.git('show', `FETCH_HEAD:${name}`)]);
  return Object.fromEntries(await Promise.all(files)) as Record<string, string>;
}

async function pushed({ work }: GitHubPlace, files: Record<string, string>): Promise<string> {
  const commit = await work.commit('A change', files);
  await work.push('HEAD:main');
  return commit;
}

describe('a revert', () => {
  it('is a pull request with the report, once, on what the branch holds now', async () => {
    const place = await githubPlace();
    const { github, forge } = place;
    const bad = await pushed(place, { a: '2\n' });
    const later = await pushed(place, { b: '3\n' });
    await forge.send(revertOf(bad));
    await place.again().send(revertOf(bad));
    const branch = `revert/${bad.slice(0, 8)}`;
    expect(await filesOf(place, branch)).toEqual({ a: '1', b: '3' });
    expect(await github.world.bare.branch('main')).toBe(later);
    expect(github.world.pulls).toMatchObject([
      { head: { ref: branch }, base: { ref: 'main' }, title: 'Revert the change: health answered 503' },
    ]);
    expect(github.world.pulls[0]?.body).toMatch(/^`Deployment d1` was rolled back\.\n\nThis reverts commit /);
    expect(github.violations).toEqual([]);
  });

  it('is one pull request also when the answer to making it was lost', async () => {
    const place = await githubPlace();
    const { github, forge } = place;
    const bad = await pushed(place, { a: '2\n' });
    github.faults.plan({ fault: 'lost', method: 'POST', path: /pulls$/ });
    await expect(forge.send(revertOf(bad))).rejects.toMatchObject({ retryable: true });
    await forge.send(revertOf(bad));
    expect(github.world.pulls).toHaveLength(1);
  });

  it('that a person closed is not opened again', async () => {
    const place = await githubPlace();
    const { github, forge } = place;
    const bad = await pushed(place, { a: '2\n' });
    await forge.send(revertOf(bad));
    for (const pull of github.world.pulls) await github.close(pull);
    await forge.send(revertOf(bad));
    expect(github.world.pulls).toHaveLength(1);
  });

  it('may be pushed to the branch itself, once', async () => {
    const place = await githubPlace();
    const bad = await pushed(place, { a: '2\n' });
    await place.forge.send(revertOf(bad, { how: 'push' }));
    const head = await place.github.world.bare.branch('main');
    await place.forge.send(revertOf(bad, { how: 'push' }));
    expect(await place.github.world.bare.branch('main')).toBe(head);
    expect(await filesOf(place, 'main')).toEqual({ a: '1', b: '1' });
    expect(place.github.world.pulls).toEqual([]);
  });

  it('that a protected branch does not take is explained', async () => {
    const place = await githubPlace();
    const { github, forge } = place;
    const bad = await pushed(place, { a: '2\n' });
    const hook = join(github.world.bare.directory, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\necho "error: GH006: Protected branch update failed" >&2\nexit 1\n', {
      mode: 0o755,
    });
    await forge.send(revertOf(bad, { how: 'push' }));
    expect(await github.world.bare.branch('main')).toBe(bad);
    expect(github.world.issues).toMatchObject([
      { body: expect.stringContaining('GitHub does not take the push to main: pre-receive hook declined') },
    ]);
  });

  it('of a merge goes back to the branch that was merged into', async () => {
    const place = await githubPlace();
    const { github, forge, work, first } = place;
    await work.commit('On topic', { a: '2\n' });
    await work.commit('More on topic', { c: 'new\n' });
    await work.push('HEAD:topic');
    await work.git('reset', '-q', '--hard', first);
    await pushed(place, { b: '2\n' });
    const merge = await github.merge(await github.open({ title: 'T', head: 'topic', base: 'main' }));
    await forge.send(revertOf(merge));
    expect(await filesOf(place, `revert/${merge.slice(0, 8)}`)).toEqual({ a: '1', b: '2' });
  });

  it('that later commits prevent is explained on the pull request that brought the commit', async () => {
    const place = await githubPlace();
    const { github, forge, work } = place;
    await work.commit('Change', { a: '2\n' });
    await work.push('HEAD:topic');
    const pull = await github.open({ title: 'Change', head: 'topic', base: 'main' });
    const merged = await github.merge(pull);
    await work.git('pull', '-q', work.origin, 'main');
    await pushed(place, { a: '3\n' });
    await forge.send(revertOf(merged));
    await forge.send(revertOf(merged));
    expect(github.world.comments).toHaveLength(1);
    expect(github.world.comments[0]).toMatchObject({
      issue: pull.number,
      body: expect.stringMatching(
        /^\*\*Not reverted automatically:\*\* `\w{8} cannot be reverted on main: later commits changed a`\n\n`Deployment d1`/,
      ),
    });
    expect(github.world.pulls).toHaveLength(1);
  });

  it('that later commits prevent is explained in an issue when no pull request brought the commit', async () => {
    const place = await githubPlace();
    const { github, forge } = place;
    const bad = await pushed(place, { a: '2\n' });
    await pushed(place, { a: '3\n' });
    await forge.send(revertOf(bad));
    await place.again().send(revertOf(bad));
    expect(github.world.issues).toMatchObject([
      { title: `${bad.slice(0, 8)} was rolled back from prod and could not be reverted` },
    ]);
    expect(github.violations).toEqual([]);
  });

  it.each(['merge', 'squash'] as const)(
    'by the deployer is not reverted again by itself, brought by a %s',
    async (method) => {
      const place = await githubPlace();
      const { github, forge } = place;
      const bad = await pushed(place, { a: '2\n' });
      await forge.send(revertOf(bad));
      const [pull] = github.world.pulls;
      if (!pull) throw new Error('no pull request');
      const merged = await github.merge(pull, method);
      await forge.send(revertOf(merged));
      expect(github.world.pulls).toHaveLength(1);
      expect(github.world.comments[0]?.body).toContain('is a revert by the deployer itself');
    },
  );

  it('has nothing to do when the branch is gone, or somebody reverted the commit', async () => {
    const place = await githubPlace();
    const { github, forge, work } = place;
    const bad = await pushed(place, { a: '2\n' });
    await forge.send(revertOf(bad, { branch: 'gone' }));
    await work.git('revert', '--no-edit', bad);
    await work.push('HEAD:main');
    await forge.send(revertOf(bad));
    expect(github.world.pulls).toEqual([]);
    expect(github.world.issues).toEqual([]);
  });
});
