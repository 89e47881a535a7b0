import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addressOf, bodyOf, localHouse, raw, send, serving, sha, startInstance, until } from './fixture.ts';

describe('the embedded front door, which is more patient and more exact than a web server', () => {
  test('streams both ways: the first half of an answer comes before the second half of the request is sent', async () => {
    const { listen } = await serving('embedded', (request, response) => {
      response.writeHead(200);
      request.pipe(response);
      return true;
    });
    const call = httpRequest({ ...addressOf(listen), method: 'POST' });
    const answered = new Promise<IncomingMessage>((resolve) => call.on('response', resolve));
    call.write('first ');
    const answer = await answered;
    let text = '';
    answer.on('data', (chunk) => (text += String(chunk)));
    await until(() => text === 'first ', 'the first half');
    call.end('second');
    await once(answer, 'end');
    expect(text).toBe('first second');
  });

  test('takes what is sent on one connection in turn: a read sees the write before it', async () => {
    const { listen, blue } = await serving('embedded');
    const gate = Promise.withResolvers<void>();
    blue.gate = gate.promise;
    const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: x\r\n`;
    const requests = `${head('POST', '/write')}Content-Length: 0\r\n\r\n${head('GET', '/after')}\r\n`;
    const answers = raw(listen, requests, (text) => text.includes('/after'));
    await until(() => blue.seen.length === 1, 'the write');
    expect((await send(listen, { path: '/other' })).status).toBe(200);
    gate.resolve();
    expect(await answers).toMatch(/\/write[^]*\/after/);
    expect(blue.seen.map(({ url }) => url)).toEqual(['/write', '/other', '/after']);
  });

  test('passes trailers on in both directions', async () => {
    const { listen, blue } = await serving('embedded', (request, response) => {
      void bodyOf(request).then(() => {
        response.writeHead(200, { Trailer: 'X-Sum' });
        response.write('body');
        response.addTrailers({ 'X-Sum': String(request.trailers['x-sum']) });
        return response.end();
      });
      return true;
    });
    const call = httpRequest({
      ...addressOf(listen),
      method: 'POST',
      headers: { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' },
    });
    const answered = new Promise<IncomingMessage>((resolve) => call.on('response', resolve));
    call.write('chunk');
    call.addTrailers({ 'X-Sum': '42' });
    call.end();
    const answer = await answered;
    expect(String(await bodyOf(answer))).toBe('body');
    expect(answer.trailers).toEqual({ 'x-sum': '42' });
    expect(blue.seen[0]?.headers['transfer-encoding']).toBe('chunked');
  });

  test('asks for the body only when the instance does, and passes hints on', async () => {
    const { listen, blue } = await serving('embedded');
    blue.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      if (request.url === '/no') {
        response.writeHead(417).end();
        return;
      }
      response.writeContinue();
      void bodyOf(request).then((body) => response.end(sha(body)));
    });
    const head = (path: string) =>
      `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    const yes = await raw(listen, `${head('/yes')}body`, (text) => text.includes(sha('body')));
    expect(yes).toMatch(
      /^HTTP\/1.1 103 .*\r\nlink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /is,
    );
    const no = await raw(listen, head('/no'), (text) => text.includes('417'));
    expect(no).not.toContain('100 Continue');
  });

  test('waits for the links to point to a side that answers', async () => {
    const { listen, directory, door } = await localHouse();
    symlinkSync('dead.sock', join(directory, 'live.sock'));
    const answers = [send(listen), send(listen, { method: 'POST', headers: { 'X-Id': 'w' } }, 'x')];
    await until(async () => (await door.counters('dev')).requests === 2, 'both to wait');
    const green = await startInstance(directory, 'green');
    await door.point('dev', 'green.sock');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    expect(green.executed).toEqual(['w']);
  });

  test('gives up after five seconds', async () => {
    const { listen, directory } = await localHouse();
    symlinkSync('dead.sock', join(directory, 'live.sock'));
    const since = performance.now();
    expect((await send(listen)).status).toBe(503);
    expect(performance.now() - since).toBeGreaterThan(4500);
  });

  test('an upload that has stopped is cut off, but not one that is merely not read', async () => {
    const { directory, door, listen } = await localHouse(200);
    const blue = await startInstance(directory, 'blue', () => true);
    await door.point('dev', 'blue.sock');
    const call = httpRequest({
      ...addressOf(listen),
      method: 'POST',
      headers: { 'Content-Length': 100 },
    });
    const cut = new Promise((resolve) => call.once('error', resolve));
    call.write('half');
    await cut;
    expect(blue.seen).toHaveLength(1);
  });

  test('answers an upgrade 503 when nothing is live, 502 when the instance hangs up', async () => {
    const { listen, blue, directory } = await serving('embedded');
    blue.server.on('upgrade', (_: IncomingMessage, socket: Socket) => socket.destroy());
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await raw(listen, head, (text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 502/);
    rmSync(join(directory, 'live.sock'));
    expect(await raw(listen, head, (text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 503/);
  });

  test('passes on what a client sent together with the handshake of its WebSocket', async () => {
    const { listen, blue } = await serving('embedded');
    blue.server.on('upgrade', (_: IncomingMessage, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await raw(listen, `${head}frames`, (text) => text.includes('frames'))).toMatch(/^HTTP\/1.1 101/);
  });
});
