import { setTimeout as sleep } from 'node:timers/promises';
import type { Participant } from '../arena.ts';
import type { Kind } from '../application.ts';
import type { Breakdown, Contestant } from '../contestant.ts';
import type { Seen } from '../load-generator.ts';
import { median, rotated } from '../statistics.ts';
import { mediansOf, push, pushAndGoBack, type Measurement } from '../turns.ts';
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
  /** Where the time of the deployments went, for those that tell (medians). */
  breakdown: Breakdown | null;
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
    const turns = new Map<string, Visit[]>(participants.map(({ name }) => [name, []]));
    for (let turn = 0; turn < options.turns; turn += 1) {
      for (const { name, contestant } of rotated(participants, turn)) {
        turns.get(name)?.push(await visit(contestant, event, options.rate));
      }
    }
    results[event] = Object.fromEntries([...turns].map(([name, all]) => [name, noticed(all)]));
  }
  return results;
}

interface Visit {
  seen: Seen;
  lost: number;
  breakdown: Breakdown | null;
}

async function visit(contestant: Contestant, event: Event, rate: number): Promise<Visit> {
  const visitors = { front: contestant.front, rate };
  const { seen, breakdown } = await happening[event](contestant, (act) => visitedDuring(visitors, act));
  const lost = lostIn(await contestant.database(), seen.acknowledged);
  return { seen, lost: lost.length, breakdown };
}

type During = (act: () => Promise<void>) => Promise<Seen>;

const happening: Record<Event, (contestant: Contestant, during: During) => Promise<Omit<Visit, 'lost'>>> = {
  nothing: async (_, during) => ({ seen: await during(() => sleep(NOTHING_MS)), breakdown: null }),
  code: (contestant, during) => pushing(contestant, 'code', during),
  migration: (contestant, during) => pushing(contestant, 'migration', during),
  async rollback(contestant, during) {
    const seen: Seen[] = [];
    const { breakdown } = await pushAndGoBack(contestant, 'code', async (one, down) => {
      seen.push(await during(() => one.rollback(down)));
    });
    const [only] = seen;
    if (!only) throw new Error('nobody came');
    return { seen: only, breakdown };
  },
};

async function pushing(contestant: Contestant, kind: Kind, during: During): Promise<Omit<Visit, 'lost'>> {
  const pushed: Measurement[] = [];
  const seen = await during(async () => void pushed.push(await push(contestant, kind)));
  return { seen, breakdown: pushed[0]?.breakdown ?? null };
}

function noticed(all: readonly Visit[]): Noticed {
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
    breakdown: mediansOf(all.flatMap(({ breakdown }) => (breakdown ? [breakdown] : []))),
    ownDelay: Math.max(...all.map(({ seen }) => seen.ownDelay)),
  };
}
