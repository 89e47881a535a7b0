import type { Kind } from './application.ts';
import type { Breakdown, Contestant } from './contestant.ts';
import { median, ratio, rotated, rounded, summary, type Summary } from './statistics.ts';
import { timeUntilLive, versionAt } from './watch.ts';

/** What one participant took, against the floor and, for those that tell, where the time went (medians). */
export interface Result {
  ms: Summary;
  timesFloor: number | null;
  breakdown: Breakdown | null;
}

export interface Measurement {
  ms: number;
  breakdown: Breakdown | null;
}

export const FLOOR = 'floor';

/** Everybody in turns, A B A B, so that what drifts hits all; one turn before them warms every cache and is not counted. */
export async function inTurns<P extends { name: string }>(
  participants: readonly P[],
  turns: number,
  measure: (participant: P) => Promise<Measurement>,
): Promise<Record<string, Result>> {
  const measured = new Map<string, Measurement[]>(participants.map(({ name }) => [name, []]));
  for (let turn = -1; turn < turns; turn += 1) {
    for (const participant of rotated(participants, turn + 1)) {
      const measurement = await measure(participant);
      if (turn >= 0) measured.get(participant.name)?.push(measurement);
    }
  }
  const floor = measured.get(FLOOR)?.map(({ ms }) => ms) ?? null;
  return Object.fromEntries([...measured].map(([name, all]) => [name, resultOf(all, floor)]));
}

function resultOf(all: readonly Measurement[], floor: readonly number[] | null): Result {
  const times = all.map(({ ms }) => ms);
  return {
    ms: summary(times),
    timesFloor: floor && ratio(times, floor),
    breakdown: mediansOf(all.flatMap(({ breakdown }) => (breakdown ? [breakdown] : []))),
  };
}

export function mediansOf(breakdowns: readonly Breakdown[]): Breakdown | null {
  const parts = [...new Set(breakdowns.flatMap((breakdown) => breakdown.map(({ part }) => part)))];
  if (parts.length === 0) return null;
  const msOf = (breakdown: Breakdown, name: string) => breakdown.find(({ part }) => part === name)?.ms ?? 0;
  return parts.map((part) => ({ part, ms: rounded(median(breakdowns.map((one) => msOf(one, part))), 1) }));
}

/** Pushes a change and waits for its first answer; `contestant` is then at rest. */
export async function push(contestant: Contestant, kind: Kind): Promise<Measurement> {
  const { application, front } = contestant;
  await application.change(kind);
  const ms = await timeUntilLive(front, application.version, () => contestant.deploy());
  await contestant.rest();
  return { ms, breakdown: (await contestant.breakdown?.()) ?? null };
}

/**
 * Pushes a change, goes back, and measures that. What broke the earlier release is then there again, by a further push,
 * so that the next one has but one migration.
 * @param around may let visitors come while `back` runs
 */
export async function pushAndGoBack(
  contestant: Contestant,
  kind: Kind,
  back: Way = (one, down) => one.rollback(down),
): Promise<Measurement> {
  const { application, front } = contestant;
  const before = await versionAt(front);
  if (before === null) throw new Error(`nothing answers on port ${front}`);
  await push(contestant, kind);
  const down = kind === 'breaking' ? (application.migrations.at(-2) ?? 'none') : null;
  const ms = await timeUntilLive(front, before, () => back(contestant, down));
  await contestant.rest();
  const breakdown = (await contestant.breakdown?.()) ?? null;
  if (kind === 'breaking') await push(contestant, 'code');
  return { ms, breakdown };
}

export type Way = (contestant: Contestant, down: string | null) => Promise<void>;
