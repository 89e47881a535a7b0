import type { Generation, Generations } from '../../data/types.ts';
import type { Work } from '../work.ts';
import { clearAway } from './clear-away.ts';

/** What is tried beside the judgement of the new release, each on a copy of its own of the migrated database. */
export function beginAside(work: Work, generations: Generations, migrated: Generation) {
  const abort = new AbortController();
  const signal = AbortSignal.any([work.signal, abort.signal]);
  const copies: Promise<Generation>[] = [];
  const begun: Promise<unknown>[] = [];

  async function tryOn<T>(
    copied: Promise<Generation>,
    attempt: (own: Work, copy: Generation) => Promise<T>,
  ): Promise<T> {
    const copy = await copied;
    try {
      return await attempt({ ...work, signal }, copy);
    } finally {
      clearAway(work, () => generations.remove(copy));
    }
  }

  return {
    /** Whoever waits for the end, too, need not look at what comes of it. */
    on<T>(attempt: (own: Work, copy: Generation) => Promise<T>): Promise<T> {
      const copied = generations.draft(migrated);
      const trying = tryOn(copied, attempt);
      copies.push(copied);
      begun.push(trying.catch(() => undefined));
      return trying;
    },
    /** Resolves once the migrated database itself may be worked on. */
    async ready(): Promise<void> {
      await Promise.all(copies);
    },
    /** Resolves once nothing is tried any more. */
    async end(): Promise<void> {
      abort.abort(new Error('it does not matter any more'));
      await Promise.all(begun);
    },
  };
}
