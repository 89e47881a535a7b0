import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import type { Kind } from '../application.ts';
import { deployer, type Deployer } from '../contestants/deployer.ts';
import { floor } from '../contestants/floor.ts';
import { growPast } from '../past.ts';
import { median, rounded, summary, type Summary } from '../statistics.ts';
import { inTurns, push, pushAndGoBack, type Result } from '../turns.ts';
import { visitedDuring } from '../visitors.ts';

type Log = (line: string) => void;

/** A few visitors, who load nothing and yet notice a hold. */
const FEW = 50;

/** The longest that a read, and a write, waited, in milliseconds. */
interface Stall {
  read: number;
  write: number;
}

interface Size {
  megabytes: number;
  code: Record<string, Result>;
  migration: Record<string, Result>;
  /** Of a migration that the earlier release cannot live with. */
  rollback: Record<string, Result>;
  /** What visitors notice of a push; with a migration, a write waits for the hold. */
  stalls: Record<'code' | 'migration', Stall>;
  /** A verified backup by an operator's command, in milliseconds. */
  backup: Summary;
  /** Of the daemon. */
  peakMegabytes: number;
}

/** How cost grows with the database. */
export async function measureDatabases(
  arena: Arena,
  sizes: readonly number[],
  turns: number,
  log: Log,
): Promise<Size[]> {
  const results: Size[] = [];
  for (const megabytes of sizes) {
    log(`a database of ${megabytes} MB`);
    const entered = [await arena.enter(floor, megabytes), await arena.enter(deployer, megabytes)] as const;
    const participants = entered.filter((participant) => participant !== null);
    const ours = entered[1]?.contestant;
    if (ours) results.push({ megabytes, ...(await measureSize(participants, ours, turns, log)) });
    for (const participant of participants) await participant.leave();
  }
  return results;
}

async function measureSize(
  participants: Parameters<typeof inTurns<{ name: string; contestant: Parameters<typeof push>[0] }>>[0],
  ours: Deployer,
  turns: number,
  log: Log,
): Promise<Omit<Size, 'megabytes'>> {
  const pushes = (kind: Kind) => {
    log(`  push: ${kind}`);
    return inTurns(participants, turns, ({ contestant }) => push(contestant, kind));
  };
  const code = await pushes('code');
  const migration = await pushes('migration');
  log('  rollback');
  const rollback = await inTurns(participants, turns, ({ contestant }) =>
    pushAndGoBack(contestant, 'breaking'),
  );
  log('  visitors');
  const stalls = {
    code: await stallOf(ours, 'code', turns),
    migration: await stallOf(ours, 'migration', turns),
  };
  log('  backup');
  const backups: number[] = [];
  for (let turn = 0; turn < turns; turn += 1)
    backups.push(await ours.commandMs('backup', 'create', 'dev', '--json'));
  return { code, migration, rollback, stalls, backup: summary(backups), peakMegabytes: ours.peakMegabytes() };
}

async function stallOf(contestant: Deployer, kind: Kind, turns: number): Promise<Stall> {
  const seen = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const visit = { front: contestant.front, rate: FEW };
    seen.push(await visitedDuring(visit, async () => void (await push(contestant, kind))));
  }
  const failed = seen.flatMap(({ failures }) => failures);
  if (failed.length > 0) throw new Error(`a visitor was failed: ${failed[0]}`);
  return {
    read: median(seen.map(({ longestRead }) => longestRead)),
    write: median(seen.map(({ longestWrite }) => longestWrite)),
  };
}

/** What people and programs ask. */
const QUESTIONS = {
  status: '/api/environments/dev',
  overview: '/',
  history: '/api/deployments?environment=dev&limit=50',
  'the last page of it': '/api/deployments?environment=dev&limit=50&cursor=10',
  'by commit': '/api/deployments?commit=c0ffee',
  'by commit and outcome': '/api/deployments?environment=dev&commit=c0ffee&outcome=rejected',
  'by an outcome that none had': '/api/deployments?outcome=needs_attention',
  metrics: '/metrics',
};

interface Past {
  deployments: number;
  /** Of the deployer's own state. */
  megabytes: number;
  push: Summary;
  rollback: Summary;
  /** From the start of the daemon until it was ready, in milliseconds. */
  start: number;
  doctor: number;
  /** In milliseconds, medians. */
  answers: Record<string, number>;
}

/** How cost grows with what was deployed before. */
export async function measurePasts(
  arena: Arena,
  pasts: readonly number[],
  options: { turns: number; megabytes: number },
  log: Log,
): Promise<Past[]> {
  const participant = await arena.enter(deployer, options.megabytes);
  if (!participant) return [];
  const { contestant } = participant;
  const results: Past[] = [];
  for (const deployments of pasts) {
    log(`${deployments} past deployments`);
    await contestant.stop();
    const state = join(contestant.home, 'state.sqlite');
    growPast(state, deployments);
    const start = rounded(await contestant.start(), 1);
    await contestant.rest();
    results.push({
      deployments,
      megabytes: Math.round(statSync(state).size / 1024 ** 2),
      start,
      ...(await measurePast(contestant, options.turns)),
    });
  }
  await participant.leave();
  return results;
}

async function measurePast(contestant: Deployer, turns: number) {
  const pushes: number[] = [];
  const rollbacks: number[] = [];
  await push(contestant, 'code');
  for (let turn = 0; turn < turns; turn += 1) {
    pushes.push((await push(contestant, 'code')).ms);
    rollbacks.push((await pushAndGoBack(contestant, 'code', (one) => one.rollbackByApi?.() ?? gone())).ms);
  }
  const answers: Record<string, number> = {};
  for (const [question, path] of Object.entries(QUESTIONS)) {
    const times: number[] = [];
    for (let turn = 0; turn < turns + 2; turn += 1) times.push(await contestant.answerMs(path));
    answers[question] = rounded(median(times), 1);
  }
  const doctor = rounded(await contestant.commandMs('doctor', '--json'), 1);
  return { push: summary(pushes), rollback: summary(rollbacks), answers, doctor };
}

function gone(): never {
  throw new Error('there is no way back by the API');
}
