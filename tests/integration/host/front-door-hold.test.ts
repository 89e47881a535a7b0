import { once } from 'node:events';
import { existsSync, symlinkSync, unlinkSync } from 'node:fs';
import { IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ask, look } from '../../../deployer/host/sluice/control-client.ts';
import { holds } from '../../../deployer/host/sluice/holds.ts';
import { linksIn } from '../../../deployer/host/sluice/links.ts';
import { serveSluice } from '../../../deployer/host/sluice/serve.ts';
import { openSluice } from '../../../deployer/host/sluice/sluice.ts';
import { Traffic } from '../../../deployer/host/sluice/traffic.ts';
import {
  behindEach,
  houseBehind,
  localHouse,
  scratch,
  send,
  startInstance,
  until,
  type Kind,
} from './fixture.ts';

async function held(count: number, directory: string) {
  await until(async () => (await look(directory))?.held === count, `${count} held`);
}

async function liveHouse(kind: Kind) {
  const house = await houseBehind(kind);
  const blue = await startInstance(house.directory, 'blue');
  await house.door.point('dev', 'blue.sock');
  const write = (id: string, body = 'text') =>
    send(house.listen, { method: 'POST', headers: { 'X-Id': id } }, body);
  return { ...house, blue, write };
}

const HOLD = { leaseMs: 20_000, limitMs: 20_000 };

behindEach((kind) => {
  describe('a hold', () => {
    test('lets reads pass while writes wait, and a switch sends them to the new side', async () => {
      const { directory, door, listen, blue, write } = await liveHouse(kind);
      const green = await startInstance(directory, 'green');
      const hold = await door.hold('dev', HOLD);
      expect(await door.links('dev')).toEqual({ live: 'blue.sock', write: 'sluice.sock' });
      const answers = [write('a'), write('b')];
      await held(2, directory);
      expect((await send(listen)).text).toContain('"blue"');
      expect(await hold.drained(1000)).toBe(true);
      expect(await hold.switchTo('green.sock')).toBe(true);
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
      expect([blue.executed, green.executed.sort()]).toEqual([[], ['a', 'b']]);
      expect(await door.links('dev')).toEqual({ live: 'green.sock', write: 'green.sock' });
      expect(await hold.renew()).toBe(false);
    });

    test('makes the live side read-only, and lets it write again before any write goes on', async () => {
      const { directory, door, blue, write } = await liveHouse(kind);
      const gate = Promise.withResolvers<void>();
      // That it may write again is answered once the gate is open.
      Object.defineProperty(blue, 'modeGate', { get: () => blue.modes.length > 1 && gate.promise });
      // One that has lapsed before it made anything read-only had too short a lease for this machine.
      for (let leaseMs = 300; blue.modes.length === 0; leaseMs *= 2) {
        const lapsing = await door.hold('dev', { leaseMs, limitMs: 20_000 });
        await lapsing.quiet();
      }
      expect(blue.modes[0]).toBe('{"deployment_mode":true}');
      const waiting = write('a');
      await held(1, directory);
      await until(() => blue.modes.length === 2, 'the hold to lapse');
      expect(blue.modes[1]).toBe('{"deployment_mode":false}');
      expect(blue.executed).toEqual([]);
      gate.resolve();
      expect((await waiting).status).toBe(200);
    });

    test('leaves the side that was live read-only by a switch', async () => {
      const { directory, door, blue } = await liveHouse(kind);
      await startInstance(directory, 'green');
      const hold = await door.hold('dev', HOLD);
      await hold.quiet();
      expect(await hold.switchTo('green.sock')).toBe(true);
      await hold.release();
      expect(blue.modes).toEqual(['{"deployment_mode":true}']);
    });

    test('is drained only once the writes that were in flight have ended', async () => {
      const { directory, door, blue, write } = await liveHouse(kind);
      const gate = Promise.withResolvers<void>();
      blue.gate = gate.promise;
      const slow = write('slow');
      await until(() => blue.seen.length === 1, 'the write to arrive');
      const hold = await door.hold('dev', HOLD);
      expect(await hold.drained(50)).toBe(false);
      expect(await door.counters('dev')).toMatchObject({ writesInFlight: 1 });
      const drained = hold.drained(10_000);
      gate.resolve();
      expect(await drained).toBe(true);
      expect((await slow).status).toBe(200);
      await hold.release();
      expect((await look(directory))?.held).toBe(0);
    });

    test('counts a write that passed the sluice as in flight for the next hold', async () => {
      const { directory, door, blue, write } = await liveHouse(kind);
      const gate = Promise.withResolvers<void>();
      blue.gate = gate.promise;
      const first = await door.hold('dev', HOLD);
      const answer = write('once-held');
      await held(1, directory);
      await first.release();
      const second = await door.hold('dev', HOLD);
      expect(await second.drained(50)).toBe(false);
      gate.resolve();
      expect(await second.drained(10_000)).toBe(true);
      expect((await answer).status).toBe(200);
    });

    test('answers 503 to a write that waited too long, which was not executed', async () => {
      const { door, blue, write } = await liveHouse(kind);
      const hold = await door.hold('dev', { leaseMs: 20_000, limitMs: 100 });
      const answers = await Promise.all([write('late'), write('large', 'x'.repeat(1_000_000))]);
      for (const answer of answers) {
        expect(answer.status).toBe(503);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect(JSON.parse(answer.text)).toMatchObject({ status: 503 });
      }
      await hold.release();
      expect((await write('next')).status).toBe(200);
      expect(blue.executed).toEqual(['next']);
      expect((await door.counters('dev')).errors, 'the instance is not to blame').toBe(0);
    });

    test('lapses without renewal: writes go to the live side and the switch is refused', async () => {
      const { directory, door, blue, write } = await liveHouse(kind);
      await startInstance(directory, 'green');
      const hold = await door.hold('dev', { leaseMs: 150, limitMs: 20_000 });
      expect((await write('waits')).status).toBe(200);
      expect(blue.executed).toEqual(['waits']);
      expect(await hold.switchTo('green.sock')).toBe(false);
      expect(await hold.drained(1000)).toBe(false);
      expect(await door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
      await hold.release();
    });

    test('stays in force as long as it is renewed', async () => {
      const { directory, door, blue, write } = await liveHouse(kind);
      /** Null: this machine stood still for a lease, so that the hold may have lapsed. */
      const renewing = async (leaseMs: number) => {
        let renewedAt = performance.now();
        const hold = await door.hold('dev', { leaseMs, limitMs: 20_000 });
        const id = `patient for ${leaseMs}`;
        const answer = write(id);
        const end = performance.now() + 2.5 * leaseMs;
        for (let waits = false; !waits || performance.now() < end;) {
          const asked = performance.now();
          const isInForce = await hold.renew();
          if (!isInForce && performance.now() - renewedAt >= leaseMs) return answer.then(() => null);
          expect(isInForce).toBe(true);
          renewedAt = asked;
          waits ||= (await look(directory))?.held === 1;
        }
        return { hold, id, answer };
      };
      let renewed = await renewing(400);
      for (let leaseMs = 800; renewed === null; leaseMs *= 2) renewed = await renewing(leaseMs);
      expect(blue.executed).not.toContain(renewed.id);
      await renewed.hold.release();
      expect((await renewed.answer).status).toBe(200);
    });

    test('cannot be had twice, and an earlier one is ended by letGo', async () => {
      const { door } = await liveHouse(kind);
      const first = await door.hold('dev', HOLD);
      await expect(door.hold('dev', HOLD)).rejects.toThrow('already held');
      await door.letGo('dev');
      expect(await first.renew()).toBe(false);
      const second = await door.hold('dev', HOLD);
      expect(await second.renew()).toBe(true);
    });

    test('lets go to a maintenance answer when nothing is live', async () => {
      const { directory, door, listen } = await houseBehind(kind);
      const hold = await door.hold('dev', HOLD);
      const answer = send(listen, { method: 'POST' }, 'x');
      await held(1, directory);
      await hold.release();
      expect((await answer).status).toBe(503);
      expect(await door.links('dev')).toEqual({ live: null, write: null });
    });
  });
});

describe('the sluice', () => {
  test('answers held writes 503 when the front door is stopped', async () => {
    const { directory, door, server, listen } = await localHouse();
    await door.hold('dev', HOLD);
    const answer = send(listen, { method: 'POST' }, 'x');
    await held(1, directory);
    await server.close();
    expect((await answer).status).toBe(503);
  });

  test('serves any proxy: raw bytes wait unread and go on as they were', async () => {
    const { directory, door, blue } = await liveHouse('embedded');
    const hold = await door.hold('dev', HOLD);
    const socket = connect(join(directory, 'sluice.sock'));
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.write('PUT /x HTTP/1.1\r\nHost: a\r\nX-Id: raw\r\nContent-Length: 2\r\nConnection: close\r\n\r\n');
    await held(1, directory);
    socket.write('ok');
    await hold.release();
    await until(() => text.includes('"raw"'), 'the answer');
    expect(blue.executed).toEqual(['raw']);
    await until(async () => (await look(directory))?.writesInFlight === 0, 'the end');
  });

  test('passes on at once what comes when no hold is in force', async () => {
    const { directory, blue, write } = await liveHouse('embedded');
    unlinkSync(join(directory, 'write.sock'));
    symlinkSync('sluice.sock', join(directory, 'write.sock'));
    expect((await write('straggler')).status).toBe(200);
    expect(blue.executed).toEqual(['straggler']);
  });

  test('refuses what exceeds its capacity', async () => {
    const directory = scratch();
    const sluice = await openSluice(directory, new Traffic(), { capacity: 2 });
    onTestFinished(() => sluice.close());
    sluice.shut(20_000);
    const post = () =>
      request({ socketPath: join(directory, 'sluice.sock'), method: 'POST', agent: false }).end();
    const waiting = [post(), post()];
    for (const call of waiting) call.on('error', () => undefined);
    await until(() => sluice.held === 2, 'two to wait');
    const [answer] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(post(), 'response'));
    expect([answer.statusCode, answer.headers['retry-after'], sluice.held]).toEqual([503, '5', 2]);
  });

  describe('opened', () => {
    const opened = async (count: number, options: { stepMs: number }) => {
      const directory = scratch();
      const blue = await startInstance(directory, 'blue');
      linksIn(directory).pointReads('blue.sock');
      const gate = Promise.withResolvers<void>();
      blue.gate = gate.promise;
      const sluice = await openSluice(directory, new Traffic(), options);
      sluice.shut(20_000);
      const write = () =>
        request({ socketPath: join(directory, 'sluice.sock'), method: 'POST', agent: false });
      const answers = Array.from({ length: count }, () => once(write().end(), 'response'));
      await until(() => sluice.held === count, 'all to wait');
      sluice.open();
      return { sluice, blue, gate, answers };
    };

    test('lets a few go on at a time, and the next when they have ended', async () => {
      const { sluice, blue, gate, answers } = await opened(20, { stepMs: 20_000 });
      onTestFinished(() => sluice.close());
      await until(() => blue.seen.length === 8, 'the first to arrive');
      expect(sluice.held).toBe(12);
      gate.resolve();
      await Promise.all(answers);
      expect([blue.executed.length, sluice.held]).toEqual([20, 0]);
    });

    test('lets the next go on, too, when those before them take long', async () => {
      const { sluice, blue, gate, answers } = await opened(20, { stepMs: 1 });
      onTestFinished(() => sluice.close());
      await until(() => blue.seen.length === 20, 'all to arrive');
      expect(blue.executed).toEqual([]);
      gate.resolve();
      await Promise.all(answers);
    });

    test('keeps those who have not gone on waiting in the next hold, and refuses none as it closes', async () => {
      const { sluice, blue, gate, answers } = await opened(20, { stepMs: 20_000 });
      await until(() => blue.seen.length === 8, 'the first to arrive');
      sluice.shut(20_000);
      gate.resolve();
      await until(() => blue.executed.length === 8, 'them to end');
      expect(sluice.held).toBe(12);
      sluice.open();
      const closed = sluice.close();
      await Promise.all(answers);
      await closed;
      expect(blue.executed).toHaveLength(20);
    });
  });

  test('reads on after a refusal, so that the answer is not lost', async () => {
    const directory = scratch();
    const sluice = await openSluice(directory, new Traffic());
    onTestFinished(() => sluice.close());
    sluice.shut(50);
    const socket = connect({ path: join(directory, 'sluice.sock'), allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n');
    await once(socket, 'end');
    expect(text).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: 5\r\nConnection: close\r\n/s);
    const written = await new Promise((resolve) => socket.write(Buffer.alloc(2_000_000), resolve));
    expect(written, 'no error').toBeFalsy();
    socket.end();
    await once(socket, 'close');
  });

  test('brings hundreds of waiting writes to an instance whose queue is short', async () => {
    const { directory, door, write } = await liveHouse('embedded');
    const green = await startInstance(directory, 'green');
    await new Promise((resolve) => green.server.close(resolve));
    await new Promise<void>((resolve) =>
      green.server.listen({ path: join(directory, 'green.sock'), backlog: 4 }, resolve),
    );
    const hold = await door.hold('dev', HOLD);
    const ids = Array.from({ length: 400 }, (_, number) => `w${number}`);
    const answers = ids.map((id) => write(id));
    await held(ids.length, directory);
    expect(await hold.switchTo('green.sock')).toBe(true);
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(green.executed.sort()).toEqual(ids.sort());
  });

  test('lets an instance finish a write whose client has gone', async () => {
    const { directory, door, blue } = await liveHouse('embedded');
    const gate = Promise.withResolvers<void>();
    blue.gate = gate.promise;
    const hold = await door.hold('dev', HOLD);
    const socket = connect(join(directory, 'sluice.sock'));
    socket.write('POST /x HTTP/1.1\r\nHost: a\r\nX-Id: left\r\nContent-Length: 0\r\n\r\n');
    await held(1, directory);
    await hold.release();
    await until(() => blue.seen.length === 1, 'the write to arrive');
    socket.destroy();
    gate.resolve();
    await until(() => blue.executed.length > 0, 'the write to be executed');
    expect(blue.executed).toEqual(['left']);
    await until(async () => (await look(directory))?.writesInFlight === 0, 'the end');
  });
});

describe('a switch', () => {
  test('lets no write go on before it is on disk, and keeps nobody else waiting for the disk', async () => {
    const directory = scratch();
    const [blue, green] = [await startInstance(directory, 'blue'), await startInstance(directory, 'green')];
    const { promise: onDisk, resolve: isOnDisk } = Promise.withResolvers<void>();
    const links = { ...linksIn(directory), toDisk: () => onDisk };
    links.pointReads('blue.sock');
    const sluice = await openSluice(directory, new Traffic());
    onTestFinished(() => sluice.close());
    const hold = holds(links, sluice);
    hold.begin({ id: 'x', ...HOLD });
    const write = () =>
      once(request({ socketPath: join(directory, 'write.sock'), method: 'POST' }).end(), 'response');
    const early = write();
    await until(() => sluice.held === 1, 'the write to wait');
    const switched = hold.switchTo('x', 'green.sock');
    expect([links.live(), hold.inForce]).toEqual(['green.sock', false]);
    const late = write();
    await until(() => sluice.held === 2, 'the other one to wait, too');
    expect(links.write()).toBe('sluice.sock');
    isOnDisk();
    expect(await switched).toBe(true);
    await Promise.all([early, late]);
    expect([blue.executed.length, green.executed.length, links.write()]).toEqual([0, 2, 'green.sock']);
  });

  test('that the disk refuses is told, and the writes go on all the same', async () => {
    const directory = scratch();
    await startInstance(directory, 'green');
    const links = { ...linksIn(directory), toDisk: () => Promise.reject(new Error('EIO')) };
    const sluice = await openSluice(directory, new Traffic());
    onTestFinished(() => sluice.close());
    const hold = holds(links, sluice);
    hold.begin({ id: 'x', ...HOLD });
    await expect(hold.switchTo('x', 'green.sock')).rejects.toThrow('EIO');
    await hold.over();
    expect([links.live(), links.write()]).toEqual(['green.sock', 'green.sock']);
  });
});

describe('a sluice that takes the place of one that was killed in a hold', () => {
  test('can be found only once the writes flow again, however long the instance takes', async () => {
    const directory = scratch();
    const blue = await startInstance(directory, 'blue');
    blue.modeGate = new Promise(() => {});
    const links = linksIn(directory, 'writes');
    links.pointReads('blue.sock');
    links.pointWritesToSluice();
    const stop = new AbortController();
    const serving = serveSluice(directory, stop.signal);
    await until(async () => (await look(directory)) !== null, 'it to be found');
    expect([links.write(), blue.modes]).toEqual(['blue.sock', ['{"deployment_mode":false}']]);
    stop.abort();
    await serving;
  });
});

describe('the control socket', () => {
  test.each([
    ['/hold', { id: 'x', leaseMs: -1, limitMs: 5 }],
    ['/hold', { leaseMs: 5, limitMs: 5 }],
    ['/renew', {}],
    ['/release', { id: 7 }],
    ['/switch', { id: 'x', socket: '../blue.sock' }],
    ['/switch', { id: 'x', socket: 'live.sock' }],
    ['/switch', { id: 'x', socket: 'sluice.sock' }],
    ['/switch', { id: 'x', socket: 'BLUE.sock' }],
    ['/switch', { id: 'x', socket: `${'b'.repeat(41)}.sock` }],
    ['/hold', { id: 'x'.repeat(5000), leaseMs: 5, limitMs: 5 }],
  ])('refuses %s %o', async (path, body) => {
    const { directory } = await localHouse();
    await expect(ask(directory, path, body)).rejects.toThrow('400');
  });

  test('knows no other request', async () => {
    const { directory } = await localHouse();
    await expect(ask(directory, '/stop', {})).rejects.toThrow('404');
    await expect(ask(directory, '/hold')).rejects.toThrow('404');
  });

  test('refuses a wrong id and a socket that is not there', async () => {
    const { directory, door } = await liveHouse('embedded');
    const hold = await door.hold('dev', HOLD);
    expect(await ask(directory, '/renew', { id: 'another' })).toBe(null);
    expect(await ask(directory, '/release', { id: 'another' })).toBe(null);
    expect(await ask(directory, '/switch', { id: 'another', socket: 'blue.sock' })).toBe(null);
    expect(await hold.switchTo('absent.sock')).toBe(false);
    expect(await hold.renew()).toBe(true);
    expect(existsSync(join(directory, 'absent.sock'))).toBe(false);
  });
});
