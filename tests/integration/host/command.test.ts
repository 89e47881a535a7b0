import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../../deployer/host/command.ts';
import { startedWith } from '../../../deployer/host/proc.ts';
import type { CommandSpec } from '../../../deployer/host/types.ts';
import { FailedError } from '../../../deployer/problem.ts';
import { hereAndByTheStarter, scratch, until } from './fixture.ts';

function command(script: string, change: Partial<CommandSpec> = {}) {
  const lines: string[] = [];
  const cwd = scratch();
  const spec: CommandSpec = {
    argv: [process.execPath, '-e', script],
    cwd,
    env: { MARK: cwd },
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    log: (line) => lines.push(line),
    stdout: 'collect',
    ...change,
  };
  return { cwd, lines, run: () => runCommand(spec) };
}

const WAIT = 'setInterval(() => {}, 1000);';

hereAndByTheStarter(() => {
  describe('a command', () => {
    test('has its standard output collected and its errors logged by line, without control characters', async () => {
      const { run, lines } = command(
        `console.log('{"a":1}'); process.stderr.write('\\u001b[31mred\\u001b[0m\\r\\nhalf ü'); process.exitCode = 3;`,
      );
      expect(await run()).toEqual({ exitCode: 3, timedOut: false, stdout: '{"a":1}\n', tail: 'red\nhalf ü' });
      expect(lines).toEqual(['red', 'half ü']);
    });

    test('may have both logged', async () => {
      const { run, lines } = command(`console.log('out'); console.error('err');`, { stdout: 'log' });
      expect(await run()).toMatchObject({ exitCode: 0, stdout: '' });
      expect(lines.sort()).toEqual(['err', 'out']);
    });

    test('sees nothing of the environment of the deployer', async () => {
      const { run, cwd } = command(`console.log(JSON.stringify(process.env))`);
      expect(JSON.parse((await run()).stdout)).toEqual({ MARK: cwd });
    });

    test('is interrupted with its whole group when its time is up', async () => {
      const child = `require('child_process').spawn(process.execPath, ['-e', '${WAIT}'], { stdio: 'inherit' });`;
      const { run, cwd } = command(`${child} ${WAIT}`, { timeoutMs: 300 });
      expect(await run()).toMatchObject({ exitCode: null, timedOut: true });
      await until(() => startedWith('MARK', cwd).length === 0, 'the group to be gone');
    });

    test('is killed when it ignores being interrupted and terminated', async () => {
      const script = `for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => console.error(name)); console.error('up'); ${WAIT}`;
      const interrupted = async (timeoutMs: number) => {
        const { run, lines } = command(script, { timeoutMs });
        const since = performance.now();
        const result = await run();
        return { result, lines, ms: performance.now() - since };
      };
      // Its time begins before it can ignore anything: it has as much as this machine needs to come up.
      let ended = await interrupted(500);
      for (let time = 1000; ended.lines.length === 0; time *= 2) ended = await interrupted(time);
      expect(ended.result).toMatchObject({ exitCode: null, timedOut: true });
      expect(ended.lines).toEqual(['up', 'SIGINT', 'SIGTERM']);
      expect(ended.ms).toBeGreaterThan(4000);
    });

    test('is ended by the signal, also by one that has aborted before', async () => {
      const stop = new AbortController();
      const { run, lines } = command(`console.error('up'); ${WAIT}`, { signal: stop.signal });
      const result = run();
      await until(() => lines.length === 1, 'the start');
      stop.abort();
      expect(await result).toMatchObject({ exitCode: null, timedOut: false });
      expect(await command(WAIT, { signal: AbortSignal.abort() }).run()).toMatchObject({ exitCode: null });
    });

    test('takes with it what it left in the background', async () => {
      const child = `require('child_process').spawn(process.execPath, ['-e', '${WAIT}'], { stdio: 'inherit' }).unref();`;
      const { run, cwd } = command(`${child} process.exit(0);`);
      expect(await run()).toMatchObject({ exitCode: 0 });
      await until(() => startedWith('MARK', cwd).length === 0, 'the group to be gone');
    });

    test('does not wait for a process that left its group and keeps the pipes', async () => {
      const child = `require('child_process').spawn(process.execPath, ['-e', '${WAIT}'], { stdio: 'inherit', detached: true }).unref();`;
      const { run, cwd } = command(`${child} setTimeout(() => process.exit(0), 100);`);
      await run();
      const left = startedWith('MARK', cwd);
      expect(left).toHaveLength(1);
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
    });

    test('is stopped when it writes without end', async () => {
      const { run } = command(
        `const chunk = 'x'.repeat(1e6); const write = () => process.stdout.write(chunk, write); write();`,
      );
      const result = await run();
      expect(result.exitCode).toBe(null);
      expect(result.tail).toContain('more than 16 MB');
      expect(result.stdout.length).toBeLessThanOrEqual(16 * 1024 * 1024);
    });

    test('keeps only the end of a long log', async () => {
      const { run, lines } = command(`for (let i = 0; i < 2000; i++) console.error('line ' + i);`);
      const { tail } = await run();
      expect(lines).toHaveLength(2000);
      expect(tail.length).toBeLessThanOrEqual(4096);
      expect(tail).toMatch(/line 1998\nline 1999$/);
    });

    test.each([
      ['an absent program', { argv: ['no-such-program'] }],
      ['an absent directory', { cwd: '/no/such/directory' }],
    ])('that cannot be started because of %s is an error that says so', async (_, change) => {
      const error: unknown = await command('', change)
        .run()
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(FailedError);
      expect(String(error)).toMatch(
        /cannot start ".*" in .*: no such program on its PATH, or no such directory/,
      );
    });

    test('leaves no listener on the signal', async () => {
      const { signal } = new AbortController();
      const { run } = command('', { signal });
      await run();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });
});
