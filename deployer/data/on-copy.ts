import type { Generation, Generations } from './types.ts';

/** Runs what is to learn from live data, and may not change it, on a copy that is thrown away. */
export async function onCopy<T>(
  generations: Generations,
  live: Generation,
  run: (copy: Generation) => Promise<T>,
): Promise<T> {
  const copy = await generations.draft(live);
  try {
    return await run(copy);
  } finally {
    await generations.remove(copy);
  }
}
