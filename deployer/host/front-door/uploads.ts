import type { IncomingMessage } from 'node:http';

/** Cuts off clients that have stopped sending the body they announced, though it would be read. Held ones are not read. */
export class Uploads {
  readonly #seen = new Map<IncomingMessage, { bytes: number; since: number }>();
  readonly #timer: NodeJS.Timeout;

  constructor(idleMs: number) {
    this.#timer = setInterval(() => this.#look(idleMs), idleMs / 4).unref();
  }

  add(request: IncomingMessage): void {
    this.#seen.set(request, { bytes: 0, since: performance.now() });
    request.once('close', () => this.#seen.delete(request));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(idleMs: number): void {
    const now = performance.now();
    for (const [request, seen] of this.#seen) {
      const bytes = request.socket.bytesRead;
      const sends = bytes !== seen.bytes || request.complete || request.readableFlowing !== true;
      if (sends) this.#seen.set(request, { bytes, since: now });
      else if (now - seen.since >= idleMs) request.socket.destroy();
    }
  }
}
