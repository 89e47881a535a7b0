import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import { deployer } from '../contestants/deployer.ts';
import { floor } from '../contestants/floor.ts';
import { growPast } from '../past.ts';
import { median, rounded, summary, type Summary } from '../statistics.ts';
import { inTurns, push, pushAndGoBack, type Result } from '../turns.ts';
import { visitedDuring } from '../visitors.ts';

/** A few visitors, who load nothing and yet notice a hold. */
const FEW = 50;

interface Size {
  megabytes: number;
  code: Record<string, Result>;
  migration: Record<string, Result>;
  /** Of a migration that the earlier release cannot live with. */
  rollback: Record<string, Result>;
  /** The longest that a write, and a read, waited during a push with a migration, in milliseconds. */
  longestWrite: number;
  longestRead: number;
}

/** How cost grows with the database. */
export async function measureDatabases(
  arena: Arena,
  sizes: readonly number[],
  turns: number,
  log: (line: string) => void,
): Promise<Size[]> {
  const results: Size[] = [];
  for (const megabytes of sizes) {
    log(`a database of ${megabytes} MB`);
    const entered = [await arena.enter(floor, megabytes), await arena.enter(deployer, megabytes)];
    const participants = entered.filter((participant) => participant !== null);
    const code = await inTurns(participants, turns, ({ contestant }) => push(contestant, 'code'));
    const migration = await inTurns(participants, turns, ({ contestant }) => push(contestant, 'migration'));
    const rollback = await inTurns(participants, turns, ({ contestant }) =>
      pushAndGoBack(contestant, 'breaking'),
    );
    const [, ours] = entered;
    const visits = [];
    for (let turn = 0; turn < turns; turn += 1) {
      if (!ours) continue;
      const { contestant } = ours;
      const visit = { front: contestant.front, rate: FEW };
      visits.push(await visitedDuring(visit, () => push(contestant, 'migration').then(() => undefined)));
    }
    const longestWrite = median(visits.map((seen) => seen.longestWrite));
    const longestRead = median(visits.map((seen) => seen.longestRead));
    results.push({ megabytes, code, migration, rollback, longestWrite, longestRead });
    for (const participant of participants) await participant.leave();
  }
  return results;
}

interface Past {
  deployments: number;
  push: Summary;
  rollback: Summary;
  /** From the start of the daemon until it was ready, in milliseconds. */
  start: number;
  /** A page of the history, in milliseconds. */
  history: Summary;
}

/** How cost grows with what was deployed before. */
export async function measurePasts(
  arena: Arena,
  pasts: readonly number[],
  options: { turns: number; megabytes: number },
  log: (line: string) => void,
): Promise<Past[]> {
  const participant = await arena.enter(deployer, options.megabytes);
  if (!participant) return [];
  const { contestant } = participant;
  const results: Past[] = [];
  for (const deployments of pasts) {
    log(`${deployments} past deployments`);
    await contestant.stop();
    growPast(join(contestant.home, 'state.sqlite'), deployments);
    const start = rounded(await contestant.start(), 1);
    await contestant.rest();
    const times = { push: [] as number[], rollback: [] as number[], history: [] as number[] };
    await push(contestant, 'code');
    for (let turn = 0; turn < options.turns; turn += 1) {
      times.push.push((await push(contestant, 'code')).ms);
      times.rollback.push((await pushAndGoBack(contestant, 'code')).ms);
      times.history.push(await contestant.historyMs());
    }
    const { push: pushes, rollback, history } = times;
    results.push({
      deployments,
      push: summary(pushes),
      rollback: summary(rollback),
      start,
      history: summary(history),
    });
  }
  await participant.leave();
  return results;
}
