import { Agent, request } from 'node:http';

interface Answer {
  method: 'GET' | 'POST';
  /** null: the connection failed. */
  status: number | null;
  /** What was sent, and whether the answer said that it was stored. */
  text: string | null;
  ms: number;
  at: number;
  error: string | null;
}

export interface LoadOptions {
  port: number;
  /** Requests a second. */
  rate: number;
  /** Share of writes, 0 to 1. */
  writes: number;
  /** Milliseconds that the application takes over each write. */
  slowMs?: number;
}

/** Visitors at a steady rate, whatever comes back: each request is on its own, none is sent again. */
export class Load {
  readonly answers: Answer[] = [];
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 });
  readonly #open = new Set<Promise<void>>();
  readonly #name = Math.random().toString(36).slice(2, 8);
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const began = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * options.rate;
      while (this.#sent < due) this.#send(this.#sent++);
    }, 5);
  }

  /** Sends nothing more and waits for every answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  get writes(): boolean {
    return this.#options.writes > 0;
  }

  get acknowledged(): string[] {
    return this.answers.flatMap(({ text, status }) => (text !== null && status === 201 ? [text] : []));
  }

  /** Every request that was not answered with success. */
  get failed(): Answer[] {
    return this.answers.filter(({ status }) => status !== 200 && status !== 201);
  }

  /** The longest that an answer took, in milliseconds. */
  longest(method: Answer['method']): number {
    return Math.round(
      this.answers.reduce((most, answer) => (answer.method === method ? Math.max(most, answer.ms) : most), 0),
    );
  }

  /** Whether the nth request is a write: spread evenly. */
  #isWrite(n: number): boolean {
    const { writes } = this.#options;
    return Math.floor((n + 1) * writes) > Math.floor(n * writes);
  }

  #send(n: number): void {
    const text = this.#isWrite(n) ? `${this.#name}-${n}` : null;
    const exchange = this.#exchange(text).then((answer) => void this.answers.push(answer));
    this.#open.add(exchange);
    void exchange.then(() => this.#open.delete(exchange));
  }

  #exchange(text: string | null): Promise<Answer> {
    const { port, slowMs = 0 } = this.#options;
    const method = text === null ? 'GET' : 'POST';
    const path = text === null ? '/' : `/notes${slowMs > 0 ? `?wait=${slowMs}` : ''}`;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const at = performance.now();
    const end = (status: number | null, error: string | null) =>
      resolve({ method, status, text, error, at, ms: performance.now() - at });
    const headers = text === null ? {} : { 'content-length': Buffer.byteLength(text) };
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, agent: this.#agent },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => end(response.statusCode ?? null, response.statusCode === 503 ? body : null));
        response.on('error', (error) => end(null, error.message));
      },
    );
    sent.on('error', (error) => end(null, error.message));
    sent.end(text ?? undefined);
    return promise;
  }
}
