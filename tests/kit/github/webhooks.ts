import { createHmac, randomUUID } from 'node:crypto';
import { isoNow } from './shapes.ts';

/** GitHub's webhooks: signed, sent once, never again by themselves. */

export interface Hook {
  id: number;
  active: boolean;
  events: string[];
  config: {
    url: string;
    content_type: 'form' | 'json';
    secret?: string | undefined;
    insecure_ssl: '0' | '1';
  };
  created_at: string;
}

export interface Delivery {
  id: number;
  /** X-GitHub-Delivery, the same when it is sent again. */
  guid: string;
  hook: Hook;
  event: string;
  payload: object;
  redelivery: boolean;
  delivered_at: string;
  /** `OK`, or what went wrong. */
  status: string;
  /** 0 when nobody answered. */
  status_code: number;
  duration: number;
}

/**
 * What becomes of a delivery on its way: `fail` is recorded as GitHub records what nobody answered and can be
 * redelivered; of `lose` there is no trace; `hold` waits for `letGo`; a number delays by milliseconds.
 */
export type Fate = 'send' | 'fail' | 'lose' | 'repeat' | 'hold' | number;

const PATIENCE_MS = 10_000;

export class Webhooks {
  readonly hooks: Hook[] = [];
  readonly deliveries: Delivery[] = [];
  /** Decides about each delivery, redeliveries included. */
  fate: (event: string, payload: object) => Fate = () => 'send';
  readonly #nextId: () => number;
  #held: (() => Promise<void>)[] = [];
  readonly #under = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastOf = new Map<number, Promise<void>>();

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  emit(event: string, payload: object): void {
    for (const hook of this.hooks) {
      const wanted = hook.events.includes(event) || hook.events.includes('*') || event === 'ping';
      if (hook.active && wanted) this.#dispatch(hook, event, payload, randomUUID(), false);
    }
  }

  /** To one hook, whether it is active or not. */
  ping(hook: Hook, payload: object): void {
    this.#dispatch(hook, 'ping', payload, randomUUID(), false);
  }

  redeliver(id: number): boolean {
    const found = this.deliveries.find((one) => one.id === id);
    if (!found) return false;
    this.#dispatch(found.hook, found.event, found.payload, found.guid, true);
    return true;
  }

  /** Sends what is held, in this order of their places; as they came when nothing is said. */
  async letGo(order?: (count: number) => number[]): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const index of order?.(held.length) ?? held.keys()) await held[index]?.();
  }

  get held(): number {
    return this.#held.length;
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #dispatch(hook: Hook, event: string, payload: object, guid: string, redelivery: boolean): void {
    const delivery = {
      id: 0,
      guid,
      hook,
      event,
      payload,
      redelivery,
      delivered_at: '',
      status: '',
      status_code: 0,
      duration: 0,
    };
    const send = () => this.#send(delivery);
    const fate = this.fate(event, payload);
    if (fate === 'lose') return;
    if (fate === 'fail') this.#record(delivery, 'failed to connect to host', 0, 0);
    else if (fate === 'hold') this.#held.push(send);
    else if (typeof fate === 'number') {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#run(send);
      }, fate);
      this.#timers.add(timer);
    } else {
      this.#inOrder(hook, send);
      if (fate === 'repeat') this.#inOrder(hook, send);
    }
  }

  /** One hook's deliveries leave one after the other, so that only a fault reorders them. */
  #inOrder(hook: Hook, send: () => Promise<void>): void {
    const next = (this.#lastOf.get(hook.id) ?? Promise.resolve()).then(send);
    this.#lastOf.set(hook.id, next);
    this.#run(() => next);
  }

  #run(send: () => Promise<void>): void {
    const sent = send().finally(() => this.#under.delete(sent));
    this.#under.add(sent);
  }

  async #send(delivery: Delivery): Promise<void> {
    const { hook, event, guid, payload } = delivery;
    const json = JSON.stringify(payload);
    const isJson = hook.config.content_type === 'json';
    const body = isJson ? json : new URLSearchParams({ payload: json }).toString();
    const { secret } = hook.config;
    const began = performance.now();
    const answered = await fetch(hook.config.url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        'Content-Type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
        'User-Agent': 'GitHub-Hookshot/abcdef0',
        'X-GitHub-Event': event,
        'X-GitHub-Delivery': guid,
        'X-GitHub-Hook-ID': String(hook.id),
        'X-GitHub-Hook-Installation-Target-Type': 'repository',
        'X-GitHub-Hook-Installation-Target-ID': '42',
        ...(secret && {
          'X-Hub-Signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`,
          'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
        }),
      },
    }).then(
      async (response) => {
        await response.body?.cancel();
        return {
          status: response.ok ? 'OK' : response.statusText || 'Invalid HTTP Response',
          code: response.status,
        };
      },
      (error: unknown) => ({
        status:
          error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'failed to connect to host',
        code: 0,
      }),
    );
    this.#record(delivery, answered.status, answered.code, (performance.now() - began) / 1000);
  }

  #record(delivery: Delivery, status: string, code: number, duration: number): void {
    this.deliveries.push({
      ...delivery,
      id: this.#nextId(),
      status,
      status_code: code,
      duration: Math.round(duration * 100) / 100,
      delivered_at: isoNow(),
    });
  }
}
