import { setTimeout as sleep } from 'node:timers/promises';
import type { Participant } from '../arena.ts';
import type { Contestant } from '../contestant.ts';
import type { Seen } from '../load-generator.ts';
import { median, rotated } from '../statistics.ts';
import { push, pushAndGoBack } from '../turns.ts';
import { lostIn, visitedDuring } from '../visitors.ts';

/** What visitors noticed; stalls in milliseconds, of which the median of the turns, all others over all turns. */
export interface Noticed {
  requests: number;
  failed: number;
  failures: string[];
  lostWrites: number;
  longestRead: number;
  longestWrite: number;
  /** The worst of all turns. */
  worstRead: number;
  worstWrite: number;
  /** How long the generator itself was held up at most: stalls are known no better. */
  ownDelay: number;
}

/** What goes on while visitors come; `nothing` shows what the machine does by itself. */
const EVENTS = ['nothing', 'code', 'migration', 'rollback'] as const;
type Event = (typeof EVENTS)[number];
const NOTHING_MS = 1500;

export async function measureVisitors(
  participants: readonly Participant[],
  options: { rate: number; turns: number },
  log: (line: string) => void,
): Promise<Record<string, Record<string, Noticed>>> {
  const results: Record<string, Record<string, Noticed>> = {};
  for (const event of EVENTS) {
    log(`${options.rate} requests a second: ${event}`);
    const turns = new Map<string, { seen: Seen; lost: number }[]>(participants.map(({ name }) => [name, []]));
    for (let turn = 0; turn < options.turns; turn += 1) {
      for (const { name, contestant } of rotated(participants, turn)) {
        turns.get(name)?.push(await visit(contestant, event, options.rate));
      }
    }
    results[event] = Object.fromEntries([...turns].map(([name, all]) => [name, noticed(all)]));
  }
  return results;
}

async function visit(
  contestant: Contestant,
  event: Event,
  rate: number,
): Promise<{ seen: Seen; lost: number }> {
  const visitors = { front: contestant.front, rate };
  let seen: Seen;
  if (event === 'rollback') {
    let during: Seen | null = null;
    await pushAndGoBack(contestant, 'code', async (one, down) => {
      during = await visitedDuring(visitors, () => one.rollback(down));
    });
    if (!during) throw new Error('nobody came');
    seen = during;
  } else {
    seen = await visitedDuring(visitors, () =>
      event === 'nothing' ? sleep(NOTHING_MS) : push(contestant, event).then(() => undefined),
    );
  }
  const lost = lostIn(await contestant.database(), seen.acknowledged);
  return { seen, lost: lost.length };
}

function noticed(all: readonly { seen: Seen; lost: number }[]): Noticed {
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  const reads = all.map(({ seen }) => seen.longestRead);
  const writes = all.map(({ seen }) => seen.longestWrite);
  return {
    requests: sum(({ seen }) => seen.requests),
    failed: sum(({ seen }) => seen.failed),
    failures: [...new Set(all.flatMap(({ seen }) => seen.failures))].slice(0, 5),
    lostWrites: sum(({ lost }) => lost),
    longestRead: median(reads),
    longestWrite: median(writes),
    worstRead: Math.max(...reads),
    worstWrite: Math.max(...writes),
    ownDelay: Math.max(...all.map(({ seen }) => seen.ownDelay)),
  };
}
