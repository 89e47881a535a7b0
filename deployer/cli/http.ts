import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from '../http.ts';

export interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal: AbortSignal;
  /** Silence on the connection for so long ends it; 0: never, because a backup or a suite takes its time. */
  silenceMs: number;
  /** Called once the whole of it is on its way. */
  onSent: () => void;
}

/** One request over its own connection, resolved when the answer's head is there. `fetch` would give up after five minutes. */
export function send(
  url: URL,
  { method, headers, body, signal, silenceMs, onSent }: Outgoing,
): Promise<IncomingMessage> {
  // TLS takes its time to load, and is seldom needed.
  const request = url.protocol === 'https:' ? process.getBuiltinModule('node:https').request : httpRequest;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const outgoing = request(url, { method, headers: { ...headers, ...length }, signal, agent: false });
  outgoing.once('finish', onSent).once('response', resolve).on('error', reject);
  outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`no sign of life for ${silenceMs} ms`)));
  outgoing.end(body);
  return promise;
}

export interface ReceivedEvent {
  event: string;
  id: string | null;
  data: string;
}

/** Server-sent events of an answer, as https://html.spec.whatwg.org/multipage/server-sent-events.html writes them. */
export async function* receiveEvents(response: IncomingMessage): AsyncIterable<ReceivedEvent> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const blocks = `${rest}${String(chunk)}`.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== null) yield event;
    }
  }
}

/** A block without data is a heartbeat. */
function parseEvent(block: string): ReceivedEvent | null {
  const fields = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line) ?? []);
  const values = (name: string) => fields.filter(([, key]) => key === name).map(([, , value = '']) => value);
  const data = values('data');
  if (data.length === 0) return null;
  return { event: values('event')[0] ?? 'message', id: values('id')[0] ?? null, data: data.join('\n') };
}
