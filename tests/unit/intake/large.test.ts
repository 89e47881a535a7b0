import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MOST_BYTES } from '../../../deployer/intake/webhook.ts';
import { begin, headersOf, PUSH, receiving, sendWhole } from './deliveries.ts';

const MB = 1024 ** 2;
/** What each test of this file sends is signed for another body: no answer depends on its contents. */
const headers = headersOf(PUSH);

const pieces = (megabytes: number) => Array.from({ length: megabytes }, () => Buffer.alloc(MB, 'x'));

describe('a body over 25 MB is refused with 413, and the client reads the answer', () => {
  it('when it announces its length', async () => {
    const { port, looks } = await receiving();
    const announced = { ...headers, 'Content-Length': String(30 * MB) };
    const { status, body } = await sendWhole(port, announced, pieces(30));
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ status: 413, detail: `expected at most ${MOST_BYTES} bytes` });
    expect(looks).toEqual([]);
  });

  it('when it only becomes too long while it streams', async () => {
    const { port, looks } = await receiving();
    const { status } = await sendWhole(port, { ...headers, 'Transfer-Encoding': 'chunked' }, pieces(30));
    expect(status).toBe(413);
    expect(looks).toEqual([]);
  });

  it('although fetch sends it', async () => {
    const { url } = await receiving();
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(30 * MB, 'x'), headers });
    expect(response.status).toBe(413);
  });

  it('and one of exactly 25 MB is not', async () => {
    const { url } = await receiving();
    const body = Buffer.from(`{"a":"${'x'.repeat(MOST_BYTES - 8)}"}`);
    expect(body).toHaveLength(MOST_BYTES);
    const response = await fetch(url, { method: 'POST', body, headers: headersOf(body) });
    expect(response.status).toBe(202);
  });
});

it('a refusal by its headers is read by a client that sends a large body', async () => {
  const { port } = await receiving();
  const wrong = { ...headers, 'Content-Type': 'text/plain', 'Content-Length': String(20 * MB) };
  expect(await sendWhole(port, wrong, pieces(20))).toMatchObject({ status: 415 });
});

describe('clients that do not finish', () => {
  async function dangling(port: number) {
    const socket = await begin(port, { ...headers, 'Content-Length': String(PUSH.length) });
    socket.on('error', () => {});
    socket.write('{');
    return socket;
  }

  it('are let go without harm when they break off', async () => {
    const { port, post, looks } = await receiving();
    for (let round = 0; round < 40; round += 1) (await dangling(port)).destroy();
    await expect.poll(async () => (await post(PUSH)).status).toBe(202);
    expect(looks).toEqual(['branches']);
  });

  it('have at most 16 places; who comes then is asked to come again', async () => {
    const { port, url, post } = await receiving();
    const sockets = await Promise.all(Array.from({ length: 16 }, () => dangling(port)));
    await expect.poll(async () => (await post(PUSH)).status).toBe(503);
    const response = await fetch(url, { method: 'POST', body: PUSH, headers: headersOf(PUSH) });
    expect(response.headers.get('retry-after')).toBe('1');
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await post(PUSH)).status).toBe(202);
  });

  it('lose their place after ten seconds', async () => {
    const { port, post } = await receiving();
    const socket = await dangling(port);
    const began = performance.now();
    await once(socket, 'close');
    expect(performance.now() - began).toBeGreaterThan(9000);
    expect(await post(PUSH)).toMatchObject({ status: 202 });
  });
});

it('a body in very small pieces is judged as a whole', async () => {
  const { port } = await receiving();
  const bytes = Array.from(Buffer.from(PUSH), (byte) => Buffer.of(byte));
  const length = { 'Content-Length': String(bytes.length) };
  expect(await sendWhole(port, { ...headers, ...length }, bytes)).toMatchObject({ status: 202 });
});
