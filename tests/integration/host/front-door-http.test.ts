import { once } from 'node:events';
import { Agent, IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { addressOf, behindEach, bodyOf, houseBehind, raw, send, serving, until } from './fixture.ts';

/** Of what only the deployer may ask. */
const SPELLINGS = [
  '/_deploy/mode',
  '/_deploy/routes?x=1',
  '/_DEPLOY/Mode/',
  '//_deploy//mode',
  '/%5fdeploy/%6dode',
  '/%255fdeploy/mode',
  '/x/../_deploy/mode',
  '/./_deploy/../_deploy/mode',
  '/x/%252e%252e/_deploy/mode',
  '/_deploy/./mode',
  '/_deploy/x/%2e%2e/mode',
  '/_deploy%2fmode',
  '/_deploy\\mode',
  '/_deploy;a=b/mode;c',
  '/_deploy/mode%00',
  '/_deploy/mode%20',
  '/_deploy/mode/..',
  '/_deploy/mode/anything',
  'http://a/_deploy/mode',
  'HTTP://a//_deploy/mode?',
];

behindEach((kind) => {
  describe('the front door as a proxy', () => {
    test('says who asked and forgets what the client said about itself and this connection', async () => {
      const { listen, blue } = await serving(kind);
      const forged = { 'X-Forwarded-For': '1.2.3.4', Forwarded: 'for=1.2.3.4', 'X-Real-IP': '1.2.3.4' };
      const headers = {
        ...forged,
        Host: 'visit.example',
        Connection: 'X-Private, Content-Length',
        'X-Private': 'a',
        TE: 'gzip',
      };
      await send(listen, { method: 'POST', path: '/a?b=%20c', headers }, 'body');
      const [seen] = blue.seen;
      expect(seen?.url).toBe('/a?b=%20c');
      expect(seen?.headers).toMatchObject({
        host: 'visit.example',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'visit.example',
        'content-length': '4',
      });
      // nginx knows only the usual names of what is for one connection.
      const named = kind === 'nginx' ? [] : ['x-private'];
      for (const name of ['forwarded', 'x-real-ip', 'te', ...named])
        expect(seen?.headers[name]).toBeUndefined();
    });

    test('passes status, repeated headers and the absence of a body on', async () => {
      const { listen } = await serving(kind, (request, response) => {
        response.writeHead(request.url === '/gone' ? 410 : 304, 'As It Is', {
          'Set-Cookie': ['a=1', 'b=2'],
          ETag: '"x"',
        });
        response.end();
        return true;
      });
      const gone = await send(listen, { path: '/gone' });
      expect(gone.status).toBe(410);
      expect(gone.headers['set-cookie']).toEqual(['a=1', 'b=2']);
      expect((await send(listen)).headers).toMatchObject({ etag: '"x"' });
    });

    test('answers HEAD with the length and no body', async () => {
      const { listen } = await serving(kind, (_, response) => {
        response.writeHead(200, { 'Content-Length': 1234 });
        response.end();
        return true;
      });
      const answer = await send(listen, { method: 'HEAD' });
      expect([answer.headers['content-length'], answer.text]).toEqual(['1234', '']);
    });

    test('keeps the connection of a client for many requests', async () => {
      const { listen } = await serving(kind);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      const ports = new Set<unknown>();
      for (let i = 0; i < 5; i++) {
        const call = httpRequest({ ...addressOf(listen), agent, method: i % 2 ? 'GET' : 'POST' });
        call.on('socket', (socket) => socket.once('ready', () => ports.add(socket.localPort)));
        call.end();
        const [answer] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(call, 'response'));
        await bodyOf(answer);
      }
      expect(ports.size).toBe(1);
    });

    test('sends the head of an event stream before its first event', async () => {
      const { listen } = await serving(kind, (_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.flushHeaders();
        return true;
      });
      expect(
        await raw(listen, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', (text) => text.includes('\r\n\r\n')),
      ).toContain('text/event-stream');
    });

    test('delivers an early refusal although the client is still sending', async () => {
      const { listen } = await serving(kind, (_, response) => {
        response.writeHead(413).end('too large');
        return true;
      });
      for (let i = 0; i < 20; i++) {
        const answer = await send(listen, { method: 'POST' }, Buffer.alloc(3_000_000));
        expect([answer.status, answer.text]).toEqual([413, 'too large']);
      }
    });

    test('does not read more of an upload than the instance takes', async () => {
      const { listen, blue } = await serving(kind, () => true);
      const call = httpRequest({ ...addressOf(listen), method: 'POST' });
      call.on('error', () => undefined);
      const source = new PassThrough();
      source.pipe(call);
      let sent = 0;
      const chunk = Buffer.alloc(1_000_000);
      while (source.write(chunk) && sent < 100) sent += 1;
      await until(() => blue.seen.length === 1, 'the request');
      while (!call.writableNeedDrain && sent < 100) {
        source.write(chunk);
        sent += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(sent).toBeLessThan(100);
      call.destroy();
    });

    test('splices a WebSocket once the instance has agreed', async () => {
      const { listen, blue } = await serving(kind);
      blue.server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
        socket.on('error', () => undefined);
        if (request.url === '/no') {
          socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
          return;
        }
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-X: y\r\n\r\n',
        );
        socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
      });
      const head = (path: string) =>
        `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
      const yes = await raw(listen, head('/'), (text) => text.includes('FRAMES'), 'frames');
      expect(yes).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n(.*\r\n)*Sec-X: y\r\n/i);
      const smuggled = `GET /_deploy/mode HTTP/1.1\r\nHost: a\r\n\r\n`;
      const no = await raw(listen, head('/no') + smuggled, (text) => /403[^]*\r\n\r\nno/.test(text));
      expect(no).toMatch(/^HTTP\/1.1 403 Forbidden/);
      expect(blue.seen).toEqual([]);
      expect(await raw(listen, head('/_deploy/mode'), (text) => text.includes('404'))).toContain('404');
    });

    test('ignores an upgrade to anything else', async () => {
      const { listen } = await serving(kind);
      const text = await raw(
        listen,
        'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
        (got) => got.includes('"blue"'),
      );
      expect(text).toMatch(/^HTTP\/1.1 200/);
    });

    test('takes only the path of an absolute target', async () => {
      const { listen, blue } = await serving(kind);
      await raw(listen, 'GET http://else.example/p?q HTTP/1.1\r\nHost: a\r\n\r\n', (text) =>
        text.includes('"blue"'),
      );
      expect(blue.seen[0]?.url).toBe('/p?q');
    });
  });

  describe('what the deployer alone may ask of an instance', () => {
    test('is not reached in any spelling', async () => {
      const { listen, blue } = await serving(kind);
      for (const target of SPELLINGS) {
        for (const method of ['GET', 'PUT', 'OPTIONS']) {
          const request = `${method} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
          const text = await raw(listen, request, (got) => got.includes('\r\n\r\n'));
          expect([target, text.slice(0, 12)]).toEqual([target, expect.stringMatching(/^HTTP\/1.1 40[04]$/)]);
        }
      }
      expect(blue.seen).toEqual([]);
    });

    test('leaves its other endpoints and similar names alone', async () => {
      const { listen } = await serving(kind);
      for (const path of ['/_deploy/health', '/_deploy/modes', '/a/_deploy/mode', '/?/_deploy/mode']) {
        expect((await send(listen, { path })).status).toBe(200);
      }
    });
  });

  describe('when an instance fails', () => {
    test('shows the maintenance page at once when nothing is live', async () => {
      const { listen } = await houseBehind(kind);
      const program = await send(listen);
      expect(program.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'retry-after': '5',
      });
      expect(JSON.parse(program.text)).toMatchObject({ status: 503 });
      const person = await send(listen, { headers: { Accept: 'text/html,*/*' } });
      expect(person.status).toBe(503);
      expect(person.headers['refresh']).toBe('5');
      expect(person.text).toContain('<h1>');
      const form = await send(listen, { method: 'POST', headers: { Accept: 'text/html' } }, 'a=b');
      expect(form.text).toContain('<h1>');
      expect(form.headers['refresh'], 'a reload would lose the form').toBeUndefined();
    });

    test('asks a read again, but never a write, when the connection ends without an answer', async () => {
      const seen: string[] = [];
      const { listen, door } = await serving(kind, (request) => {
        seen.push(String(request.method));
        if (request.method === 'GET' && seen.length > 1) return false;
        request.socket.destroy();
        return true;
      });
      expect((await send(listen)).status).toBe(200);
      expect(await send(listen, { method: 'POST' }, 'x')).toMatchObject({ status: 502 });
      expect(seen).toEqual(['GET', 'GET', 'POST']);
      await until(async () => (await door.counters('dev')).errors > 0, 'the error');
      expect((await door.counters('dev')).errors).toBe(1);
    });

    test('cuts the client off when the answer ends in the middle', async () => {
      const { listen } = await serving(kind, (_, response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('half', () => response.destroy());
        return true;
      });
      await expect(send(listen)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
    });

    test('counts the errors of an instance', async () => {
      const { listen, door } = await serving(kind, (_, response) => {
        response.writeHead(500).end('broken');
        return true;
      });
      expect((await send(listen)).text).toBe('broken');
      expect((await send(listen, { path: '/_deploy/mode' })).status).toBe(404);
      await until(async () => (await door.counters('dev')).requests === 2, 'both to be counted');
      expect(await door.counters('dev')).toEqual({ requests: 2, errors: 1, writesInFlight: 0 });
    });
  });

  describe('when a client goes away', () => {
    test('a write that was sent in full runs to its end', async () => {
      const { listen, blue, door } = await serving(kind);
      const gate = Promise.withResolvers<void>();
      blue.gate = gate.promise;
      const call = httpRequest({
        ...addressOf(listen),
        method: 'POST',
        headers: { 'X-Id': 'left', 'Content-Length': 2 },
      });
      call.on('error', () => undefined);
      call.end('ok');
      await until(() => blue.seen[0]?.complete === true, 'the whole body');
      call.destroy();
      const aborted = new Promise((resolve) => blue.seen[0]?.socket.once('close', resolve));
      // Caddy gives it up with its client, and leaves it to the instance whether it goes on; it is not acknowledged.
      const counted = (await door.counters('dev')).writesInFlight;
      expect(counted === 1 || kind === 'caddy').toBe(true);
      gate.resolve();
      await until(() => blue.executed.includes('left'), 'the write');
      await aborted;
      await until(async () => (await door.counters('dev')).writesInFlight === 0, 'the end');
    });

    // Caddy passes nothing on before there is more.
    test.skipIf(kind === 'caddy')('a write whose answer has begun is not in flight for ever', async () => {
      const more = Promise.withResolvers<void>();
      const { listen, door } = await serving(kind, (request, response) => {
        if (request.method === 'GET') return false;
        request.resume();
        response.writeHead(201, { 'Content-Length': 4 }).write('be');
        void more.promise.then(() => response.end('en'));
        return true;
      });
      const call = httpRequest({ ...addressOf(listen), method: 'POST', headers: { 'Content-Length': 2 } });
      call.on('error', () => undefined);
      call.end('ok');
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      answer.on('error', () => undefined);
      call.destroy();
      // Whoever answers this has seen that.
      expect((await send(listen)).status).toBe(200);
      more.resolve();
      await until(async () => (await door.counters('dev')).writesInFlight === 0, 'the end');
    });

    test('a write that was half sent is not executed', async () => {
      const { listen, blue, door } = await serving(kind);
      const call = httpRequest({
        ...addressOf(listen),
        method: 'POST',
        headers: { 'X-Id': 'half', 'Content-Length': 100 },
      });
      call.on('error', () => undefined);
      call.write('half');
      await until(() => blue.seen.length === 1, 'the request');
      call.destroy();
      await until(async () => (await door.counters('dev')).writesInFlight === 0, 'the end');
      expect(blue.executed).toEqual([]);
    });

    test('a read is given up', async () => {
      const { listen, blue } = await serving(kind, () => true);
      const call = httpRequest(addressOf(listen));
      call.on('error', () => undefined);
      call.end();
      await until(() => blue.seen.length === 1, 'the request');
      const closed = new Promise((resolve) => blue.seen[0]?.socket.once('close', resolve));
      call.destroy();
      await expect(closed).resolves.toBe(false);
    });
  });
});
