import { expect, test } from 'vitest';
import { ObjectServer } from '../../../deployer/release/object-server.ts';
import { Origin, scratch } from './fixture.ts';

test('answers come in the order of the questions, large objects whole and missing ones as null', async () => {
  const directory = await scratch();
  const origin = await Origin.create(directory);
  const large = 'x'.repeat(3_000_000);
  const ids = await Promise.all(
    ['one', large, 'three\n'].map((text) => origin.git(['hash-object', '-w', '--stdin'], text)),
  );
  const server = new ObjectServer(directory);
  const [one, nothing, big, three] = await Promise.all(
    [ids[0], 'f'.repeat(40), ids[1], ids[2]].map((name) => server.read(name ?? '')),
  );
  expect(one).toMatchObject({ id: ids[0], type: 'blob' });
  expect(one?.data.toString()).toBe('one');
  expect(nothing).toBeNull();
  expect(big?.data.equals(Buffer.from(large))).toBe(true);
  expect(three?.data.toString()).toBe('three\n');
  server.end();
});

test('what is written later is seen, and after an end it starts anew', async () => {
  const directory = await scratch();
  const origin = await Origin.create(directory);
  const server = new ObjectServer(directory);
  expect(await server.read('refs/heads/main')).toBeNull();
  const id = await origin.git(['hash-object', '-w', '--stdin'], 'later');
  expect((await server.read(id))?.data.toString()).toBe('later');
  const cut = server.read(id);
  server.end();
  expect(await cut).toBeNull();
  expect((await server.read(id))?.data.toString()).toBe('later');
  server.end();
});

test('of a repository that is not there everything is missing', async () => {
  const server = new ObjectServer('/nowhere/at-all.git');
  expect(await server.read('HEAD')).toBeNull();
});
