import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { Arena } from '../../benchmarks/arena.ts';
import { Absent } from '../../benchmarks/contestant.ts';
import { floor } from '../../benchmarks/contestants/floor.ts';
import { pushAndGoBack } from '../../benchmarks/turns.ts';
import { lostIn, visitedDuring } from '../../benchmarks/visitors.ts';
import { versionAt } from '../../benchmarks/watch.ts';

it('the floor goes live by a push and comes back, migrations included, and no visitor loses a write', async () => {
  const arena = await Arena.open();
  onTestFinished(() => arena.close());
  const entered = await arena.enter(floor, 1);
  if (!entered) throw new Error('the floor needs nothing that could be missing');
  const { contestant } = entered;
  const { front } = contestant;
  expect(await versionAt(front)).toBe('v0');

  const seen = await visitedDuring({ front, rate: 40 }, async () => {
    expect((await pushAndGoBack(contestant, 'migration')).ms).toBeGreaterThan(1);
  });
  expect(contestant.application.version).toBe('v1');
  expect(await versionAt(front)).toBe('v0');
  expect(seen).toMatchObject({ failed: 0, failures: [] });
  expect(seen.acknowledged.length).toBeGreaterThan(5);
  const database = await contestant.database();
  expect(lostIn(database, seen.acknowledged)).toEqual([]);
  expect(lostIn(database, ['never written'])).toEqual(['never written']);

  await entered.leave();
  expect(await versionAt(front)).toBeNull();
  expect(existsSync(database)).toBe(false);
});

it('a contestant that cannot be had is noted with the reason, and what it had started is ended', async () => {
  const arena = await Arena.open();
  onTestFinished(() => arena.close());
  const ended: string[] = [];
  const entry = {
    name: 'missing',
    about: '',
    prepare(place: Parameters<typeof floor.prepare>[0]) {
      for (const name of ['first', 'second']) place.atEnd(() => Promise.resolve(void ended.push(name)));
      return Promise.reject(new Absent('apt-get download missing failed: no such package'));
    },
  };
  expect(await arena.enter(entry, 1)).toBeNull();
  expect(arena.absent).toEqual([
    { name: 'missing', reason: 'apt-get download missing failed: no such package' },
  ]);
  expect(ended).toEqual(['second', 'first']);
});
