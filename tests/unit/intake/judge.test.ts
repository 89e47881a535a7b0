import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../deployer/intake/webhook.ts';
import { seeded } from '../scratch.ts';
import { headersOf, PUSH, SECRET } from './deliveries.ts';

const lower = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe('10,000 fuzzed deliveries', () => {
  const random = seeded(20261120);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(from: readonly [T, ...T[]]): T => from[below(from.length)] ?? from[0];

  function mutated(text: string): Buffer {
    const bytes = Buffer.from(text);
    switch (below(5)) {
      case 0:
        return bytes.subarray(0, below(bytes.length));
      case 1:
        return Buffer.from(Array.from({ length: below(200) }, () => below(256)));
      case 2:
        return Buffer.from('['.repeat(below(20_000)));
      case 3:
        return Buffer.concat([bytes.subarray(0, below(bytes.length)), bytes.subarray(below(bytes.length))]);
      default:
        for (let count = below(8); count >= 0; count -= 1) bytes[below(bytes.length)] = below(256);
        return bytes;
    }
  }

  it('are all judged, whether they are signed or not, and none throws', async () => {
    const counts = new Map<number, number>();
    for (let round = 0; round < 10_000; round += 1) {
      const body = mutated(PUSH);
      const headers = lower(headersOf(random() < 0.5 ? body : PUSH));
      if (random() < 0.2)
        headers[pick(['x-github-event', 'content-type', 'x-hub-signature-256', 'content-length'])] =
          mutated('sha256=x').toString('latin1');
      const cut = below(body.length + 1);
      const judged = await judge(headers, Readable.from([body.subarray(0, cut), body.subarray(cut)]), [
        SECRET,
      ]);
      const status = judged.accepted ? 202 : judged.status;
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (judged.accepted) JSON.parse(judged.delivery.payload);
    }
    // Each way to end was gone often enough that the fuzzing means something.
    for (const status of [202, 400, 401, 415]) expect(counts.get(status)).toBeGreaterThan(100);
    expect([...counts.keys()].every((status) => [202, 400, 401, 413, 415].includes(status))).toBe(true);
  });
});

it('judges a body that breaks off as malformed', async () => {
  const body = new Readable({ read() {} });
  body.push('{');
  const judging = judge(lower(headersOf(PUSH)), body, [SECRET]);
  body.destroy(new Error('ECONNRESET'));
  expect(await judging).toEqual({ accepted: false, status: 400, reason: 'the body broke off' });
});

it('reads nothing of a body whose headers are wrong already', async () => {
  let read = 0;
  const body = new Readable({ read: () => void (read += 1) });
  for (const name of ['content-type', 'x-hub-signature-256', 'x-github-delivery', 'x-github-event']) {
    const judged = await judge({ ...lower(headersOf(PUSH)), [name]: 'wrong!' }, body, [SECRET]);
    expect(judged.accepted).toBe(false);
  }
  expect(
    await judge({ ...lower(headersOf(PUSH)), 'content-length': '26214401' }, body, [SECRET]),
  ).toMatchObject({
    status: 413,
  });
  expect(read).toBe(0);
});
