import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startedWith } from '../../../deployer/host/proc.ts';
import { processManager } from '../../../deployer/host/process.ts';
import type { ProcessSpec } from '../../../deployer/host/types.ts';
import { FailedError } from '../../../deployer/problem.ts';
import { hereAndByTheStarter, scratch, until } from './fixture.ts';

const services = processManager();

function specOf(directory: string, script: string): ProcessSpec {
  const socket = join(directory, 'blue.sock');
  return {
    argv: [process.execPath, '-e', script],
    cwd: directory,
    env: { LISTEN: socket, PATH: '/usr/bin:/bin' },
    socket,
    logFile: join(directory, 'logs', 'blue.log'),
  };
}

async function started(script: string, directory = scratch()) {
  const spec = specOf(directory, script);
  const handle = await services.start(spec);
  onTestFinished(() => services.stop(handle, 0));
  return { directory, spec, handle, log: () => readFileSync(spec.logFile, 'utf8') };
}

const WAIT = 'setInterval(() => {}, 1000);';

hereAndByTheStarter(() => {
  describe('the process manager', () => {
    test('starts a process with exactly the given environment, and appends its output to the log', async () => {
      const { handle, spec, directory, log } = await started(
        `console.log(JSON.stringify(process.env)); console.error('late');`,
      );
      await services.exited(handle, new AbortController().signal);
      expect(services.alive(handle)).toBe(false);
      expect(log()).toContain('late');
      expect(JSON.parse(log().split('\n')[0] ?? '')).toEqual(spec.env);
      const again = await started(`console.log('again')`, directory);
      await services.exited(again.handle, new AbortController().signal);
      expect(log()).toMatch(/late\nagain/);
    });

    test('tells a process from a later one with the same pid', async () => {
      const { handle } = await started(WAIT);
      expect(services.alive(handle)).toBe(true);
      expect(services.alive({ ...handle, startTime: '1' })).toBe(false);
      await services.stop({ ...handle, startTime: '1' }, 0);
      expect(services.alive(handle)).toBe(true);
    });

    test('asks first, and kills the whole group of one that does not listen', async () => {
      const script = `process.on('SIGTERM', () => console.log('asked'));
      const child = require('child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
      console.log('pid', child.pid); ${WAIT}`;
      const { handle, spec, log } = await started(script);
      await until(() => /pid \d+/.test(log()), 'the child');
      expect(startedWith('LISTEN', spec.socket)).toHaveLength(2);
      const patient = services.stop(handle, 60_000);
      await until(() => log().includes('asked'), 'it to be asked');
      expect(services.alive(handle)).toBe(true);
      await services.stop(handle, 100);
      expect(services.alive(handle)).toBe(false);
      await patient;
      await until(() => startedWith('LISTEN', spec.socket).length === 0, 'the group to be gone');
      await services.stop(handle, 100);
    });

    test('stops a polite one without waiting for the whole grace', async () => {
      const { handle, log } = await started(
        `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); console.log('up'); ${WAIT}`,
      );
      await until(() => log().includes('up'), 'the start');
      const since = performance.now();
      await services.stop(handle, 60_000);
      expect(performance.now() - since).toBeLessThan(60_000);
      expect(log()).toContain('bye');
    });

    test('stops waiting for the end when the signal aborts', async () => {
      const { handle } = await started(WAIT);
      await services.exited(handle, AbortSignal.timeout(50));
      expect(services.alive(handle)).toBe(true);
    });

    test('ends a process that an earlier daemon started on the same socket and did not record', async () => {
      const first = await started(WAIT);
      writeFileSync(first.spec.socket, 'stale');
      const second = await started(WAIT, first.directory);
      expect([services.alive(first.handle), services.alive(second.handle)]).toEqual([false, true]);
      expect(existsSync(first.spec.socket)).toBe(false);
    });

    test.each([
      ['no such program on its PATH', { argv: ['no-such-program'] }],
      ['no such directory', { cwd: '/no/such/directory' }],
      ['EACCES', { argv: ['./not-executable'] }],
    ])('says so when there is %s', async (why, change) => {
      const directory = scratch();
      writeFileSync(join(directory, 'not-executable'), '', { mode: 0o600 });
      const spec = { ...specOf(directory, WAIT), ...change };
      const error: unknown = await services.start(spec).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(FailedError);
      expect(String(error)).toContain(why);
    });

    test('leaves its processes running when the daemon is killed; a later one finds and stops them', async () => {
      const directory = scratch();
      const module = new URL('../../../deployer/host/process.ts', import.meta.url).href;
      const spec = specOf(directory, WAIT);
      const script = `import { processManager } from '${module}';
      console.log(JSON.stringify(await processManager().start(${JSON.stringify(spec)})));
      setInterval(() => {}, 1000);`;
      const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(daemon.stdout, 'data'));
      const handle = z.object({ pid: z.number(), startTime: z.string() }).parse(JSON.parse(String(line)));
      onTestFinished(() => services.stop(handle, 0));
      daemon.kill('SIGKILL');
      await once(daemon, 'exit');
      expect(services.alive(handle)).toBe(true);
      await services.stop(handle, 1000);
      expect(services.alive(handle)).toBe(false);
    });
  });
});
