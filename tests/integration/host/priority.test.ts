import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../../deployer/host/command.ts';
import { processManager } from '../../../deployer/host/process.ts';
import { scratch } from './fixture.ts';

/** Ends once it gives way, as a process and, where there are such groups, with its session. */
const PATIENT = `const { getPriority } = require('os');
const { readFileSync, existsSync, writeFileSync } = require('fs');
const group = () => existsSync('/proc/self/autogroup') ? readFileSync('/proc/self/autogroup', 'utf8') : 'nice 10';
const timer = setInterval(() => {
  if (getPriority() < 10 || !/nice 10\\s*$/.test(group())) return;
  clearInterval(timer);
  writeFileSync('gave-way', '');
}, 5);`;

describe('what nobody waits for gives way to visitors:', () => {
  test('a command', async () => {
    const { exitCode, timedOut } = await runCommand({
      argv: [process.execPath, '-e', PATIENT],
      cwd: scratch(),
      env: {},
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      log: () => undefined,
      stdout: 'log',
      background: true,
    });
    expect({ exitCode, timedOut }).toEqual({ exitCode: 0, timedOut: false });
  });

  test('an instance of a rehearsal', async () => {
    const cwd = scratch();
    const services = processManager();
    const socket = join(cwd, 'rehearsal.sock');
    const argv = [process.execPath, '-e', PATIENT];
    const logFile = join(cwd, 'log');
    const handle = await services.start({ argv, cwd, env: {}, socket, logFile, background: true });
    onTestFinished(() => services.stop(handle, 0));
    await services.exited(handle, AbortSignal.timeout(30_000));
    expect(existsSync(join(cwd, 'gave-way'))).toBe(true);
  });

  test('and nothing else does', async () => {
    const { stdout } = await runCommand({
      argv: [process.execPath, '-p', `require('os').getPriority()`],
      cwd: scratch(),
      env: {},
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      log: () => undefined,
      stdout: 'collect',
    });
    expect(Number(stdout)).toBe(getPriority());
  });
});
