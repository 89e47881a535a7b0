import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../../deployer/host/command.ts';
import { copyByProcess } from '../../../deployer/host/copy-file.ts';
import { execute } from '../../../deployer/host/execute.ts';
import type { Execution } from '../../../deployer/host/types.ts';
import { startTimeOf } from '../../../deployer/host/proc.ts';
import { openStarter } from '../../../deployer/host/starter/client.ts';
import { CutOffError } from '../../../deployer/problem.ts';
import { scratch, until } from './fixture.ts';

const WAIT = 'setInterval(() => {}, 1000)';

function node(script: string, more: Partial<Execution> = {}): Execution {
  return { argv: [process.execPath, '-e', script], env: {}, timeoutMs: 30_000, ...more };
}

/** The process that starts programs now. */
async function starterPid(): Promise<number> {
  const { stdout } = await execute(node('console.log(process.ppid)'));
  return Number(stdout.toString());
}

function opened(): () => Promise<void> {
  const close = openStarter();
  let open = true;
  const once = async () => {
    if (open) await close();
    open = false;
  };
  onTestFinished(once);
  return once;
}

describe('the starter', () => {
  test('starts programs in place of this process until it is closed', async () => {
    expect(await starterPid()).toBe(process.pid);
    const close = opened();
    const pid = await starterPid();
    expect(pid).not.toBe(process.pid);
    expect(await starterPid()).toBe(pid);
    await close();
    expect(startTimeOf(pid)).toBe(null);
    expect(await starterPid()).toBe(process.pid);
  });

  test('stays for as long as anybody uses it', async () => {
    const close = opened();
    const other = opened();
    const pid = await starterPid();
    await close();
    expect(await starterPid()).toBe(pid);
    await other();
    expect(startTimeOf(pid)).toBe(null);
  });

  test('has nothing of the environment of the deployer', async () => {
    process.env['A_SECRET'] = 'a canary';
    onTestFinished(() => void delete process.env['A_SECRET']);
    opened();
    const environment = readFileSync(`/proc/${await starterPid()}/environ`, 'utf8');
    expect(environment).not.toContain('canary');
  });

  test('gives a program its input and its secret, and brings back bytes as they are', async () => {
    opened();
    const script = `const { readFileSync, writeSync } = require('fs');
      const input = readFileSync(0), secret = readFileSync(3);
      writeSync(1, Buffer.concat([input, secret])); writeSync(2, 'half ü'); process.exitCode = 7;`;
    const input = Buffer.from([0, 255, 10, 0]);
    expect(await execute(node(script, { input, secret: 'x' }))).toEqual({
      exitCode: 7,
      stdout: Buffer.concat([input, Buffer.from('x')]),
      stderr: 'half ü',
      error: null,
    });
  });

  test('says that there is no such program, and ends one by the signal or when its time is up', async () => {
    opened();
    const none = await execute({ argv: ['no-such-program'], env: {}, timeoutMs: 1000 });
    expect(none).toMatchObject({ exitCode: null, error: { code: 'ENOENT' } });
    const stop = new AbortController();
    const ended = execute(node(WAIT), stop.signal);
    stop.abort();
    expect(await ended).toMatchObject({ exitCode: null });
    expect(await execute(node(WAIT), AbortSignal.abort())).toMatchObject({ exitCode: null });
    expect(await execute(node(WAIT, { timeoutMs: 200 }))).toMatchObject({ exitCode: null });
  });

  test('does not end by the signals that are for the deployer', async () => {
    opened();
    const pid = await starterPid();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    expect(await starterPid()).toBe(pid);
  });

  test('that is killed cuts off the command that it was running, and another one takes its place', async () => {
    opened();
    const pid = await starterPid();
    const cwd = scratch();
    const ran = runCommand({
      argv: [
        process.execPath,
        '-e',
        `require('fs').writeFileSync('begun', ''); setTimeout(() => {}, 10_000)`,
      ],
      cwd,
      env: {},
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      log: () => {},
      stdout: 'collect',
    }).catch((error: unknown) => error);
    await until(() => existsSync(join(cwd, 'begun')), 'the command');
    process.kill(pid, 'SIGKILL');
    expect(await ran).toEqual(new CutOffError('the starter of programs ended: SIGKILL'));
    expect(await starterPid()).not.toBe(pid);
  });

  test('that is killed keeps nobody from what comes to the same when it is done once more', async () => {
    opened();
    const pid = await starterPid();
    const once = join(scratch(), 'once');
    const script = `const { existsSync, writeFileSync } = require('fs');
      if (existsSync('${once}')) console.log('again');
      else { writeFileSync('${once}', ''); setTimeout(() => {}, 10_000); }`;
    const executed = execute(node(script));
    await until(() => existsSync(once), 'the first time');
    process.kill(pid, 'SIGKILL');
    expect((await executed).stdout.toString()).toBe('again\n');
  });

  test('that is killed leaves a copy that writes to a file of its own, which nobody sees', async () => {
    opened();
    const pid = await starterPid();
    const [from, to] = ['from', 'to'].map((name) => join(scratch(), name)) as [string, string];
    execFileSync('mkfifo', [from]);
    const source = openSync(from, 'r+');
    const fileOf = () => statSync(to, { throwIfNoEntry: false })?.ino;
    const copied = copyByProcess(from, to);
    await until(() => fileOf() !== undefined, 'the first copy');
    const first = fileOf();
    process.kill(pid, 'SIGKILL');
    await until(() => fileOf() !== undefined && fileOf() !== first, 'another file');
    const second = fileOf();
    closeSync(source);
    await copied;
    expect(fileOf()).toBe(second);
  });
});
