/** What the front door has seen since its start. */
export class Traffic {
  requests = 0;
  /** Answers of instances with status 500 or more, and instances that ended without an answer. */
  errors = 0;
  readonly #writes = new Map<string, number>();

  /** Connections with which an instance was dialled for a write, until they have ended; by its socket. */
  get writes(): Record<string, number> {
    return Object.fromEntries(this.#writes);
  }

  get inFlight(): number {
    return [...this.#writes.values()].reduce((total, count) => total + count, 0);
  }

  /** Counts a write as in flight there until the answer is called. */
  begin(socket: string): () => void {
    this.#add(socket, 1);
    return () => this.#add(socket, -1);
  }

  #add(socket: string, change: number): void {
    const writes = (this.#writes.get(socket) ?? 0) + change;
    if (writes === 0) this.#writes.delete(socket);
    else this.#writes.set(socket, writes);
  }
}
