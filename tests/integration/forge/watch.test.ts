import { expect, test } from 'vitest';
import { refsState } from '../../../deployer/forge/local/refs-state.ts';
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

test('what branches and tags are shows in one text, also when one is again what it was', async () => {
  const directory = await scratch();
  const origin = await Origin.create(directory);
  const states: (string | null)[] = [refsState(directory)];
  const after = async (what: Promise<unknown>) => {
    await what;
    states.push(refsState(directory));
  };
  await after(commitTo(origin, 'refs/heads/main', 'one'));
  const one = await origin.git(['rev-parse', 'main']);
  await after(commitTo(origin, 'refs/heads/main', 'two'));
  await after(origin.git(['update-ref', 'refs/heads/main', one]));
  await after(origin.git(['update-ref', 'refs/heads/deep/er', one]));
  await after(origin.git(['tag', 'v1', one]));
  await after(origin.git(['pack-refs', '--all', '--prune']));
  await after(origin.git(['update-ref', '-d', 'refs/heads/deep/er']));
  expect(new Set(states).size).toBe(states.length);
  expect(states).not.toContain(null);
  const last = states.at(-1);
  await commitTo(origin, 'refs/notes/deploy', 'a note');
  expect(refsState(directory)).toBe(last);
});

test('refs that are kept otherwise, or are many, are for git to tell', async () => {
  const directory = await scratch();
  const origin = await Origin.create(directory);
  await commitTo(origin, 'refs/heads/main', 'one');
  const one = await origin.git(['rev-parse', 'main']);
  const many = Array.from({ length: 501 }, (_, number) => `create refs/heads/b${number} ${one}\n`);
  await origin.git(['update-ref', '--stdin'], many.join(''));
  expect(refsState(directory)).toBeNull();
});
