import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';

/** GitHub sends nothing larger. */
export const MOST_BYTES = 25 * 1024 ** 2;
/** What is parsed; a larger delivery that is authentic only makes us look at the branches. */
const MOST_PARSED_BYTES = 1024 ** 2;

/** How a delivery was judged: an HTTP status and a sentence, or the delivery. */
export type Judged =
  { accepted: false; status: 400 | 401 | 413 | 415; reason: string } | { accepted: true; delivery: Delivery };

export interface Delivery {
  /** X-GitHub-Delivery; a redelivery has the same. */
  id: string;
  /** X-GitHub-Event. */
  name: string;
  /** The raw JSON; empty when it was larger than what is kept. */
  payload: string;
}

/** What the headers say of a delivery. */
interface Shape {
  id: string;
  name: string;
  signature: Buffer;
  /** Whether the body may be small enough to be parsed; what will not be parsed is not kept either. */
  keep: boolean;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Verifies a webhook delivery while it streams: headers first, then HMAC-SHA-256 over the raw bytes in constant time.
 * Source: GitHub, "Validating webhook deliveries". Nothing of a body that is not authentic is kept beyond 1 MB or parsed.
 */
export async function judge(headers: Headers, body: Readable, secrets: readonly string[]): Promise<Judged> {
  const shape = judgeHeaders(headers);
  if ('accepted' in shape) return shape;
  const hashes = secrets.map((secret) => createHmac('sha256', secret));
  const kept: Buffer[] = [];
  let size = 0;
  try {
    // Leaving the loop early must not end the connection: the refusal is still to be sent over it.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BYTES) return no(413, `expected at most ${MOST_BYTES} bytes`);
      for (const hash of hashes) hash.update(chunk);
      if (shape.keep && size <= MOST_PARSED_BYTES) kept.push(chunk);
    }
  } catch {
    return no(400, 'the body broke off');
  }
  // Every secret is compared, so that the time does not tell which one matched.
  const matches = hashes.map((hash) => timingSafeEqual(hash.digest(), shape.signature));
  if (!matches.includes(true))
    return no(401, 'the signature does not match the body: check the webhook secret');
  const payload = size <= MOST_PARSED_BYTES ? Buffer.concat(kept).toString('utf8') : '';
  if (payload !== '' && !isJsonObject(payload)) return no(400, 'expected a JSON object');
  if (size === 0) return no(400, 'expected a JSON object, the body is empty');
  return { accepted: true, delivery: { id: shape.id, name: shape.name, payload } };
}

function judgeHeaders(headers: Headers): Judged | Shape {
  const [id, name, signature, type, length] = [
    'x-github-delivery',
    'x-github-event',
    'x-hub-signature-256',
    'content-type',
    'content-length',
  ].map((header) => one(headers[header]));
  if (!/^application\/json\s*(;|$)/i.test(type ?? ''))
    return no(415, 'expected Content-Type: application/json');
  const announced = Number(length ?? 0);
  if (announced > MOST_BYTES) return no(413, `expected at most ${MOST_BYTES} bytes`);
  const hex = /^sha256=([0-9a-f]{64})$/.exec(signature ?? '')?.[1];
  if (!hex) return no(401, 'expected X-Hub-Signature-256: sha256=…');
  if (!/^[A-Za-z0-9-]{1,100}$/.test(id ?? '')) return no(400, 'expected X-GitHub-Delivery');
  if (!/^[a-z0-9_]{1,60}$/.test(name ?? '')) return no(400, 'expected X-GitHub-Event');
  return {
    id: id ?? '',
    name: name ?? '',
    signature: Buffer.from(hex, 'hex'),
    keep: !(announced > MOST_PARSED_BYTES),
  };
}

function no(status: 400 | 401 | 413 | 415, reason: string): Judged {
  return { accepted: false, status, reason };
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
