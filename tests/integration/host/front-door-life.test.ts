import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { embeddedFrontDoor } from '../../../deployer/host/front-door/client.ts';
import { look } from '../../../deployer/host/front-door/state.ts';
import { main } from '../../../deployer/host/front-door/main.ts';
import { startedWith } from '../../../deployer/host/proc.ts';
import { processManager } from '../../../deployer/host/process.ts';
import { runDirectory } from '../../../deployer/host/run-directory.ts';
import {
  emptyHouse,
  freeListen,
  localHouse,
  realHouse,
  send,
  startInstance,
  until,
  type House,
} from './fixture.ts';
import { writeApplication } from './programs.ts';

async function pidOf(house: House): Promise<number> {
  const state = await look(house.directory);
  if (state === null) throw new Error('no front door');
  return state.pid;
}

/** A program that holds writes as a daemon would, says so, and waits. */
function writeDaemon(house: House): string {
  const host = new URL('../../../deployer/host/', import.meta.url).href;
  const file = join(house.home, 'daemon.mts');
  writeFileSync(
    file,
    `import { embeddedFrontDoor } from '${host}front-door/client.ts';
    import { processManager } from '${host}process.ts';
    import { runDirectory } from '${host}run-directory.ts';
    const [home, listen] = process.argv.slice(2);
    const door = embeddedFrontDoor({ home, runDirectory: runDirectory(home, {}), services: processManager() });
    await door.ensure('dev', listen);
    await door.point('dev', 'blue.sock');
    await door.hold('dev', { leaseMs: 300, limitMs: 20000 });
    console.log('holding');
    setInterval(() => {}, 1000);`,
  );
  return file;
}

describe('ensure', () => {
  test('starts one process, however often it is asked and by however many daemons', async () => {
    const house = await realHouse();
    const pid = await pidOf(house);
    await Promise.all([house.door.ensure('dev', house.listen), house.door.ensure('dev', house.listen)]);
    const later = embeddedFrontDoor({
      home: house.home,
      runDirectory: runDirectory(house.home, {}),
      services: processManager(),
    });
    await later.ensure('dev', house.listen);
    expect(await pidOf(house)).toBe(pid);
    expect(startedWith('LISTEN', join(house.directory, 'control.sock'))).toHaveLength(1);
  });

  test('starts one when asked twice at once', async () => {
    const house = await emptyHouse();
    onTestFinished(() => house.door.stop('dev'));
    await Promise.all([house.door.ensure('dev', house.listen), house.door.ensure('dev', house.listen)]);
    expect(startedWith('LISTEN', join(house.directory, 'control.sock'))).toHaveLength(1);
  });

  test('moves to another address when it changed', async () => {
    const house = await realHouse();
    const other = await freeListen();
    await house.door.ensure('dev', other);
    expect((await send(other)).status).toBe(503);
    await expect(send(house.listen)).rejects.toThrow('ECONNREFUSED');
  });

  test('names an address that is taken', async () => {
    const house = await emptyHouse();
    const [host, port] = house.listen.split(':');
    const other = createServer().listen(Number(port), host);
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    await expect(house.door.ensure('dev', house.listen)).rejects.toThrow(
      `${house.listen} is in use by another program`,
    );
    expect(await look(house.directory)).toBe(null);
  });

  test('says where the log is when the process does not come up', async () => {
    const house = await emptyHouse();
    const services = { ...processManager(), start: async () => ({ pid: 1, startTime: 'ended' }) };
    const door = embeddedFrontDoor({
      home: house.home,
      runDirectory: runDirectory(house.home, {}),
      services,
    });
    await expect(door.ensure('dev', house.listen)).rejects.toThrow('did not start: see');
  });

  test('replaces one that was killed in a hold: writes go to the live side again', async () => {
    const house = await realHouse();
    const blue = await startInstance(house.directory, 'blue');
    await house.door.point('dev', 'blue.sock');
    const hold = await house.door.hold('dev', { leaseMs: 60_000, limitMs: 60_000 });
    process.kill(await pidOf(house), 'SIGKILL');
    await until(async () => (await look(house.directory)) === null, 'it to be gone');
    expect(await hold.renew()).toBe(false);
    expect(await hold.drained(1000)).toBe(false);
    expect(await hold.switchTo('green.sock')).toBe(false);
    await hold.release();
    await house.door.letGo('dev');
    await expect(house.door.counters('dev')).rejects.toThrow('the front door of dev is not running');
    await expect(house.door.hold('dev', { leaseMs: 10, limitMs: 10 })).rejects.toThrow('is not running');
    expect(await house.door.links('dev')).toEqual({ live: 'blue.sock', write: 'sluice.sock' });
    await house.door.ensure('dev', house.listen);
    expect(await house.door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
    expect((await send(house.listen, { method: 'POST', headers: { 'X-Id': 'after' } }, 'x')).status).toBe(
      200,
    );
    expect(blue.executed).toEqual(['after']);
  });

  test('finds the one that replaces it only once held writes flow, however long the instance takes', async () => {
    const house = await realHouse();
    const blue = await startInstance(house.directory, 'blue');
    await house.door.point('dev', 'blue.sock');
    const hold = await house.door.hold('dev', { leaseMs: 60_000, limitMs: 60_000 });
    await hold.quiet();
    blue.modeGate = new Promise(() => {});
    process.kill(await pidOf(house), 'SIGKILL');
    await until(async () => (await look(house.directory)) === null, 'it to be gone');
    await house.door.ensure('dev', house.listen);
    expect(await house.door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
    expect(blue.modes.at(-1)).toBe('{"deployment_mode":false}');
  });

  test('replaces one whose directory was taken away', async () => {
    const house = await realHouse();
    const pid = await pidOf(house);
    renameSync(house.directory, `${house.directory}-away`);
    runDirectory(house.home, {}).of('dev');
    const later = embeddedFrontDoor({
      home: house.home,
      runDirectory: runDirectory(house.home, {}),
      services: processManager(),
    });
    await later.ensure('dev', house.listen);
    expect(await pidOf(house)).not.toBe(pid);
    expect((await send(house.listen)).status).toBe(503);
  });

  test('replaces one that does not answer', async () => {
    const house = await realHouse();
    const pid = await pidOf(house);
    process.kill(pid, 'SIGSTOP');
    await house.door.ensure('dev', house.listen);
    expect(await pidOf(house)).not.toBe(pid);
  });
});

describe('a front door', () => {
  test('is stopped by a daemon that did not start it, and that twice', async () => {
    const house = await realHouse();
    const later = embeddedFrontDoor({
      home: house.home,
      runDirectory: runDirectory(house.home, {}),
      services: processManager(),
    });
    await later.stop('dev');
    await later.stop('dev');
    await expect(send(house.listen)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(join(house.directory, 'front-door.json'))).toBe(false);
    expect(readFileSync(join(house.home, 'logs', 'front-door-dev.log'), 'utf8')).toContain(
      `listening on ${house.listen}`,
    );
  });

  test('goes on, and lets go of the writes, when the daemon that holds them is killed', async () => {
    const house = await emptyHouse();
    onTestFinished(() => house.door.stop('dev'));
    const blue = await startInstance(house.directory, 'blue');
    const daemon = spawn(process.execPath, [writeDaemon(house), house.home, house.listen], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void daemon.kill('SIGKILL'));
    await once(daemon.stdout, 'data');
    daemon.kill('SIGKILL');
    const write = send(house.listen, { method: 'POST', headers: { 'X-Id': 'waits' } }, 'x');
    expect((await send(house.listen)).status).toBe(200);
    expect((await write).status).toBe(200);
    expect(blue.executed).toEqual(['waits']);
    expect(await house.door.links('dev')).toEqual({ live: 'blue.sock', write: 'blue.sock' });
  });

  test('loses nothing when the old instance is stopped half a second after the switch', async () => {
    const house = await realHouse();
    const services = processManager();
    const application = writeApplication(house.home);
    const start = async (name: string) => {
      const socket = join(house.directory, `${name}.sock`);
      const handle = await services.start({
        argv: [process.execPath, application, name],
        cwd: house.home,
        env: { LISTEN: socket },
        socket,
        logFile: join(house.home, `${name}.log`),
      });
      onTestFinished(() => services.stop(handle, 0));
      await until(() => existsSync(socket), `${name} to listen`);
      return handle;
    };
    let old = await start('blue');
    await house.door.point('dev', 'blue.sock');
    const wrong: string[] = [];
    const stopped = new AbortController();
    let asked = 0;
    const visitors = Array.from({ length: 8 }, async (_, number) => {
      while (!stopped.signal.aborted) {
        asked += 1;
        const method = number % 2 === 0 ? 'GET' : 'POST';
        const headers = { 'X-Takes': asked % 10 === 0 ? 300 : 0 };
        const body = method === 'GET' ? undefined : 'x'.repeat(asked % 7 === 0 ? 500_000 : 10);
        const outcome = await send(house.listen, { method, headers }, body).then(
          ({ status }) => String(status),
          String,
        );
        if (outcome !== '200') wrong.push(`${method}: ${outcome}`);
      }
    });
    for (const name of ['green', 'blue', 'green']) {
      const next = await start(name);
      await house.door.point('dev', `${name}.sock`);
      const [switchedAt, goal] = [performance.now(), asked + 100];
      await until(() => performance.now() - switchedAt >= 500 && asked > goal, 'half a second of visitors');
      await services.stop(old, 30_000);
      old = next;
    }
    stopped.abort();
    await Promise.all(visitors);
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(300);
  });

  test('refuses to be pointed at what is no instance', async () => {
    const { door } = await localHouse();
    for (const socket of ['../x.sock', 'live.sock', 'absent.sock']) {
      await expect(door.point('dev', socket)).rejects.toThrow('nothing was re-pointed');
    }
    expect(await door.links('dev')).toEqual({ live: null, write: null });
  });
});

describe('the front door as a program', () => {
  test('runs until it is told to stop', async () => {
    const house = await emptyHouse();
    const stop = new AbortController();
    const log: string[] = [];
    const argv = ['--listen', house.listen, '--directory', house.directory];
    const exit = main(argv, stop.signal, (line) => log.push(line));
    await until(async () => (await look(house.directory)) !== null, 'the front door');
    stop.abort();
    expect(await exit).toBe(0);
    expect(log).toEqual([`listening on ${house.listen}`, 'stopping']);
  });

  test('ends when its directory is gone', async () => {
    const house = await emptyHouse();
    const exit = main(
      ['--listen', house.listen, '--directory', house.directory],
      new AbortController().signal,
      () => undefined,
    );
    await until(async () => (await look(house.directory)) !== null, 'the front door');
    rmSync(house.directory, { recursive: true });
    expect(await exit).toBe(0);
  });

  test('says what is wrong and exits 1, or 2 for wrong usage', async () => {
    const house = await localHouse();
    const log: string[] = [];
    const { signal } = new AbortController();
    expect(await main([], signal, (line) => log.push(line))).toBe(2);
    expect(
      await main(['--listen', house.listen, '--directory', house.directory], signal, (line) =>
        log.push(line),
      ),
    ).toBe(1);
    expect(log[0]).toContain('usage');
    expect(log[1]).toContain('EADDRINUSE');
  });

  test('loads little, so that it is there quickly', async () => {
    const program = new URL('../../../deployer/host/front-door/main.ts', import.meta.url).href;
    const script = `const before = new Set(process.moduleLoadList); await import('${program}');
      console.log(JSON.stringify(process.moduleLoadList.filter((name) => !before.has(name))))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const loaded = z.array(z.string()).parse(JSON.parse(stdout));
    expect(loaded).toContain('NativeModule http');
    expect(loaded.filter((name) => /https|undici/.test(name))).toEqual([]);
  });
});
