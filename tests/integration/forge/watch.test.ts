import { expect, test } from 'vitest';
import { watchBranches } from '../../../deployer/forge/local/watch.ts';
import { waitFor } from '../../kit/daemon.ts';
import { Origin, scratch } from '../release/fixture.ts';

async function commitTo(origin: Origin, ref: string, message: string): Promise<void> {
  const tree = await origin.git(['mktree'], '');
  await origin.git(['update-ref', ref, await origin.git(['commit-tree', tree, '-m', message])]);
}

test('each push to a branch is told, as soon as the branch is written', async () => {
  const directory = await scratch();
  const origin = await Origin.create(directory);
  let told = 0;
  const end = watchBranches(directory, () => (told += 1));
  for (const message of ['one', 'two', 'three']) {
    const before = told;
    await commitTo(origin, 'refs/heads/main', message);
    await waitFor(`${message} to be told`, async () => (told > before ? true : undefined));
  }
  end();
  const before = told;
  await commitTo(origin, 'refs/heads/main', 'four');
  await commitTo(origin, 'refs/notes/deploy', 'a note');
  expect(told).toBe(before);
});

test('a repository that cannot be watched is told of by its hook alone', () => {
  expect(() => watchBranches('/nowhere/at-all.git', () => {})()).not.toThrow();
});
