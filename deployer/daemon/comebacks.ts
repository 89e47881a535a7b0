const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** An instance that lived so long has not crashed again and again. */
const STEADY_MS = 60_000;

/** How often what is live had to be started again of late, and how long to wait before the next time. */
export class Comebacks {
  readonly #past = new Map<string, { count: number; at: number }>();

  /** Milliseconds until it may be started again: none after a long life, then twice as long each time. */
  pause(environment: string, now: number): number {
    const past = this.#past.get(environment);
    if (!past) return 0;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (past.count - 1), LONGEST_PAUSE_MS);
    if (now - past.at > pause + STEADY_MS) {
      this.#past.delete(environment);
      return 0;
    }
    return Math.max(0, past.at + pause - now);
  }

  /** It is started now. Returns how often in a row. */
  note(environment: string, now: number): number {
    const count = (this.#past.get(environment)?.count ?? 0) + 1;
    this.#past.set(environment, { count, at: now });
    return count;
  }

  count(environment: string): number {
    return this.#past.get(environment)?.count ?? 0;
  }
}
