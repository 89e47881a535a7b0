import { setTimeout as sleep } from 'node:timers/promises';
import type { Ordeal } from './ordeal.ts';

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Deploys, with and without migrations, and rolls back, while the daemon is killed at any moment. Returns the milliseconds to rest after each. */
export async function killAtRandom(
  ordeal: Ordeal,
  options: { seed: number; kills: number },
): Promise<number[]> {
  const { machine } = ordeal;
  const next = chance(options.seed);
  const recoveries: number[] = [];
  for (let kill = 0; kill < options.kills; kill++) {
    const { running, waiting, live } = await machine.status();
    if (!running && !waiting) await change(ordeal, next(), live?.liveAt !== null);
    await sleep(next() * 2500);
    await machine.kill();
    const began = performance.now();
    if (next() < 0.3) {
      const again = machine.boot().catch(() => undefined);
      await sleep(next() * 2000);
      await machine.kill();
      await again;
    }
    await machine.boot();
    recoveries.push(Math.round(performance.now() - began));
  }
  return recoveries;
}

async function change(ordeal: Ordeal, which: number, mayRollBack: boolean): Promise<void> {
  const { machine } = ordeal;
  const rolledBack =
    which < 0.25 &&
    mayRollBack &&
    (await machine.rollback().then(
      () => true,
      () => false,
    ));
  if (!rolledBack) await machine.push('A change', ordeal.next({ migration: which > 0.6 }).files);
}
