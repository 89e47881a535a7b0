import { once } from 'node:events';
import { IncomingMessage, request as httpRequest, type ClientRequest } from 'node:http';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startTimeOf } from '../../../deployer/host/proc.ts';
import { look } from '../../../deployer/host/sluice/control-client.ts';
import { writesIn } from '../../../deployer/host/sluice/writes.ts';
import { MOST_BODY_MB } from '../../../deployer/host/web-server/render.ts';
import { siteOf } from '../../../deployer/host/web-server/site.ts';
import { runDirectory } from '../../../deployer/host/run-directory.ts';
import { isInstalled, startWebServer } from '../../kit/web-server.ts';
import {
  addressOf,
  behindEach,
  bodyOf,
  emptyHouse,
  raw,
  send,
  serving,
  startInstance,
  until,
  webServerHouse,
} from './fixture.ts';
import { webServerFrontDoor } from '../../../deployer/host/web-server/front-door.ts';
import { processManager } from '../../../deployer/host/process.ts';

const HOLD = { leaseMs: 20_000, limitMs: 20_000 };

async function answerTo(call: ClientRequest): Promise<IncomingMessage> {
  const [message] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(call, 'response'));
  return message;
}

function isListening(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Its process. */
async function sluiceIn(directory: string): Promise<number> {
  const sluice = await look(directory);
  if (!sluice) throw new Error(`there is no sluice in ${directory}`);
  return sluice.pid;
}

behindEach((kind) => {
  test('hundreds of switches fail no request', async () => {
    const { directory, door, listen, blue } = await serving(kind);
    const green = await startInstance(directory, 'green');
    const stopped = new AbortController();
    const wrong: string[] = [];
    const visitors = ['GET', 'POST', 'GET', 'POST'].map(async (method) => {
      while (!stopped.signal.aborted) {
        const body = method === 'POST' ? 'text' : undefined;
        const got = await send(listen, { method }, body).then(({ status }) => String(status), String);
        if (got !== '200') wrong.push(`${method}: ${got}`);
      }
    });
    for (let round = 0; round < 300; round++) {
      const { length } = [...blue.seen, ...green.seen];
      await door.point('dev', round % 2 === 0 ? 'green.sock' : 'blue.sock');
      await until(() => blue.seen.length + green.seen.length > length + 3, 'some requests');
    }
    stopped.abort();
    await Promise.all(visitors);
    expect(wrong).toEqual([]);
    expect(Math.min(blue.executed.length, green.executed.length)).toBeGreaterThan(100);
  });

  test('a slow write, an event stream and a WebSocket go on across a switch, and only the write is waited for', async () => {
    const { directory, door, listen, blue } = await serving(kind, (request, response) => {
      if (request.method !== 'GET') return false;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      return true;
    });
    blue.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    await startInstance(directory, 'green');
    const gate = Promise.withResolvers<void>();
    blue.gate = gate.promise;
    const stream = httpRequest(addressOf(listen)).end();
    onTestFinished(() => void stream.destroy());
    await once(stream, 'response');
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await raw(listen, head, (text) => text.includes('echo'), 'echo');
    const write = send(listen, { method: 'POST' }, 'slow');
    await until(() => blue.seen.some(({ method }) => method === 'POST'), 'the write');
    await door.point('dev', 'green.sock');
    expect(await door.drained('dev', 'blue.sock', 50)).toBe(false);
    expect(await door.drained('dev', 'green.sock', 10_000)).toBe(true);
    gate.resolve();
    expect(await door.drained('dev', 'blue.sock', 10_000)).toBe(true);
    expect((await write).text).toContain('"blue"');
    expect((await send(listen, { method: 'POST' }, 'x')).text).toContain('"green"');
  });

  if (kind === 'embedded') return;

  test('the sluice is there for a hold only', async () => {
    const { directory, door } = await serving(kind);
    expect(await look(directory)).toBe(null);
    const hold = await door.hold('dev', HOLD);
    expect(await look(directory)).toMatchObject({ held: 0 });
    await hold.release();
    await until(async () => (await look(directory)) === null, 'the sluice to end');
    expect(await hold.renew()).toBe(false);
  });

  test('a sluice that is killed in a hold keeps the writes no longer than until somebody looks', async () => {
    const { directory, door, listen, blue } = await serving(kind);
    const hold = await door.hold('dev', HOLD);
    const pid = await sluiceIn(directory);
    process.kill(pid, 'SIGKILL');
    await until(async () => startTimeOf(pid) === null, 'the sluice to be gone');
    // Until the last of its threads has ended, the kernel accepts for it, and who is cut off then is told 502.
    await until(async () => !(await isListening(join(directory, 'sluice.sock'))), 'its sockets to be closed');
    expect(await hold.renew()).toBe(false);
    expect(await hold.switchTo('green.sock')).toBe(false);
    expect((await send(listen, { method: 'POST' }, 'x')).status).toBe(503);
    await door.ensure('dev', listen);
    expect(await door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
    expect((await send(listen, { method: 'POST', headers: { 'X-Id': 'after' } }, 'x')).status).toBe(200);
    expect(blue.executed).toEqual(['after']);
    const next = await door.hold('dev', HOLD);
    process.kill(await sluiceIn(directory), 'SIGKILL');
    await until(async () => !(await next.renew()), 'the hold to lapse');
    await next.release();
    expect(await door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
  });

  test('a sluice that is told to stop lets go first', async () => {
    const { directory, door, listen, blue } = await serving(kind);
    await door.hold('dev', HOLD);
    const write = send(listen, { method: 'POST', headers: { 'X-Id': 'waits' } }, 'x');
    await until(async () => (await look(directory))?.held === 1, 'it to wait');
    process.kill(await sluiceIn(directory), 'SIGTERM');
    expect((await write).status).toBe(200);
    expect(blue.executed).toEqual(['waits']);
    expect(await door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
  });

  test('what is not served is said, and what comes back is found again', async () => {
    const house = await emptyHouse();
    const edges = {
      home: house.home,
      services: processManager(),
      runDirectory: runDirectory(house.home, {}),
    };
    const door = webServerFrontDoor(edges);
    await startInstance(house.directory, 'blue');
    const unserved = 'no web server is the front door of dev';
    await expect(door.ensure('dev', house.listen)).rejects.toThrow(unserved);
    await expect(door.point('dev', 'blue.sock')).rejects.toThrow(unserved);
    await expect(door.hold('dev', HOLD)).rejects.toThrow(unserved);
    await expect(door.counters('dev')).rejects.toThrow(unserved);
    const site = siteOf(edges, { name: 'dev', listen: house.listen });
    const first = await startWebServer(kind, house.home, [site]);
    await door.ensure('dev', house.listen);
    await door.point('dev', 'blue.sock');
    await expect(door.ensure('dev', '127.0.0.1:1')).rejects.toThrow('does not listen on 127.0.0.1:1 for dev');
    await first.kill();
    await expect(door.ensure('dev', house.listen)).rejects.toThrow(unserved);
    // As the directory of a service's sockets goes with it.
    rmSync(join(house.directory, 'writes'), { recursive: true });
    const second = await startWebServer(kind, house.home, [site]);
    onTestFinished(() => second.kill());
    await door.ensure('dev', house.listen);
    expect((await send(house.listen, { method: 'POST' }, 'x')).status).toBe(200);
  });

  test('what is no instance, or has no way for its writes, is not pointed at', async () => {
    const { door, directory } = await webServerHouse(kind);
    await startInstance(directory, 'purple');
    for (const socket of ['../x.sock', 'live.sock', 'absent.sock', 'purple.sock'])
      await expect(door.point('dev', socket)).rejects.toThrow('nothing was re-pointed');
    expect(Object.keys(writesIn(directory)).sort()).toEqual(['blue.sock', 'green.sock']);
    expect(existsSync(join(directory, 'write.sock'))).toBe(false);
  });

  test('static files are compressed, and cached as the application says', async () => {
    const css = 'body { color: black }\n'.repeat(200);
    const { listen } = await serving(kind, (request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.writeHead(304, { ETag: '"v1"' }).end();
      else
        response
          .writeHead(200, { 'Content-Type': 'text/css', 'Cache-Control': 'max-age=60', ETag: '"v1"' })
          .end(css);
      return true;
    });
    const call = httpRequest({
      ...addressOf(listen),
      path: '/a.css',
      headers: { 'Accept-Encoding': 'gzip' },
    }).end();
    const message = await answerTo(call);
    expect(message.headers).toMatchObject({ 'content-encoding': 'gzip', 'cache-control': 'max-age=60' });
    expect(gunzipSync(await bodyOf(message)).toString()).toBe(css);
    expect((await send(listen, { path: '/a.css', headers: { 'If-None-Match': '"v1"' } })).status).toBe(304);
  });

  test('a body that is too large is refused', async () => {
    const { listen, blue } = await serving(kind);
    const call = httpRequest({
      ...addressOf(listen),
      method: 'POST',
      headers: { 'Content-Length': 200_000_000 },
    });
    call.on('error', () => undefined);
    const answered = answerTo(call);
    // No byte more than makes it too large: what nobody reads can cost the client the answer, by a reset.
    call.write(Buffer.alloc(MOST_BODY_MB * 2 ** 20 + 1));
    expect((await answered).statusCode).toBe(413);
    call.destroy();
    expect(blue.executed).toEqual([]);
  });
});

test.skipIf(!isInstalled('caddy'))(
  'reads wait behind Caddy until the links point to a side that answers',
  async () => {
    const { listen, directory, door } = await webServerHouse('caddy');
    symlinkSync('dead.sock', join(directory, 'live.sock'));
    const answer = send(listen);
    const green = await startInstance(directory, 'green');
    await door.point('dev', 'green.sock');
    expect((await answer).status).toBe(200);
    expect(green.seen).toHaveLength(1);
  },
);
