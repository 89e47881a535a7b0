import type { Noticed } from './sections/load.ts';
import type { Breakdown } from './contestant.ts';
import { rounded } from './statistics.ts';
import { FLOOR, type Result } from './turns.ts';

const OURS = 'deployer';
/** How many of the largest parts say what dominates. */
const DOMINANT = 4;

export interface Goal {
  goal: string;
  limit: number;
  actual: number;
  unit: 'times' | 'ms' | 'requests' | 'writes';
  reached: boolean;
  /** Where the time goes, the largest part first; null when the goal is reached or nothing tells. */
  dominatedBy: Breakdown | null;
}

type ByName<T> = Record<string, T>;

export interface Measured {
  push?: ByName<ByName<Result>>;
  rollback?: ByName<ByName<Result>>;
  load?: ByName<ByName<ByName<Noticed>>>;
}

/** The goals that what was measured can judge. */
export function judge({ push, rollback, load }: Measured): Goal[] {
  return [
    ...pushGoals(push?.['code'], 'code', 1.5),
    ...pushGoals(push?.['migration'], 'a migration', 2.5),
    ...rollbackGoals(rollback),
    ...Object.entries(load ?? {}).flatMap(([rate, events]) => visitorGoals(rate, events)),
  ];
}

function pushGoals(results: ByName<Result> | undefined, what: string, limit: number): Goal[] {
  const ours = results?.[OURS];
  if (!results || !ours) return [];
  const goals: Goal[] = [];
  const part = { breakdown: ours.breakdown };
  if (ours.timesFloor !== null)
    goals.push(goal(`push to live, ${what}: of the floor`, limit, ours.timesFloor, 'times', part));
  const peers = Object.entries(results).filter(([name]) => name !== OURS && name !== FLOOR);
  if (peers.length > 0) {
    const fastest = Math.min(...peers.map(([, { ms }]) => ms.median));
    const times = rounded(ours.ms.median / fastest, 2);
    goals.push(goal(`push to live, ${what}: of the fastest peer`, 0.5, times, 'times', part));
  }
  return goals;
}

function rollbackGoals(rollback: ByName<ByName<Result>> | undefined): Goal[] {
  if (!rollback) return [];
  return Object.entries(rollback).flatMap(([kind, results]) => {
    const ours = results[OURS];
    if (!ours) return [];
    const floor = results[FLOOR]?.ms.median ?? 0;
    const limit = kind === 'code' ? Math.max(150, 5 * floor) : 1000;
    return [goal(`rollback, ${kind}`, rounded(limit, 1), ours.ms.median, 'ms', ours)];
  });
}

function visitorGoals(rate: string, events: ByName<ByName<Noticed>>): Goal[] {
  return Object.entries(events).flatMap(([event, results]) => {
    const ours = results[OURS];
    if (!ours || event === 'nothing') return [];
    const what = `${event} at ${rate} requests a second`;
    const held = ours.breakdown?.filter(({ part }) => HELD.has(part)) ?? [];
    const machine = [
      { part: 'the longest read while nothing happens', ms: events['nothing']?.[OURS]?.longestRead ?? 0 },
      { part: 'the load generator itself was held up', ms: ours.ownDelay },
    ];
    return [
      goal(`${what}: failed`, 0, ours.failed, 'requests', { breakdown: null }),
      goal(`${what}: lost`, 0, ours.lostWrites, 'writes', { breakdown: null }),
      goal(`${what}: longest stall of a read`, 50, ours.longestRead, 'ms', { breakdown: machine }),
      goal(`${what}: longest stall of a write`, 500, ours.longestWrite, 'ms', { breakdown: held }),
    ];
  });
}

/** The stages that run while writes wait. */
const HELD = new Set(['hold', 'migrate', 'boot', 'verify', 'switch']);

function goal(
  name: string,
  limit: number,
  actual: number,
  unit: Goal['unit'],
  { breakdown }: { breakdown: Breakdown | null },
): Goal {
  const reached = actual <= limit;
  const largest = breakdown?.toSorted((a, b) => b.ms - a.ms).slice(0, DOMINANT) ?? null;
  return { goal: name, limit, actual, unit, reached, dominatedBy: reached ? null : largest };
}
