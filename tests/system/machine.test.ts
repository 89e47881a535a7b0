import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweep } from './kit/leftovers.ts';
import { DebianMachine } from './kit/machine.ts';

describe('the machine that the system tests boot', () => {
  let machine: DebianMachine;
  beforeAll(async () => {
    machine = await DebianMachine.boot({ disk: '1g' });
  });
  afterAll(async () => {
    await machine.dispose();
  });

  it('runs a real systemd in which nothing has failed', async () => {
    expect(await machine.run(['cat', '/proc/1/comm'])).toBe('systemd');
    expect(await machine.run(['systemctl', '--failed', '--plain', '--no-legend'])).toBe('');
    expect(await machine.run(['systemctl', 'is-system-running'])).toBe('running');
  });

  it('is bare: only what Debian has, no network beyond itself', async () => {
    const top = (await machine.run(['ls', '/'])).split('\n');
    expect(top.filter((name) => !/^(lib.*|bin|sbin)$/.test(name))).toEqual(
      'boot dev etc home media mnt opt proc root run srv sys tmp usr var'.split(' '),
    );
    expect(await machine.run(['ls', '/home', '/opt', '/srv', '/root'])).not.toMatch(/^[^/\n]/m);
    expect(await machine.run(['ip', '-brief', 'link'])).toMatch(/^lo\b.*$/);
  });

  it('has the packages of the lockfile in its registry', async () => {
    expect(await machine.run(['npm', 'view', 'zod', 'name'])).toBe('zod');
    const { code } = await machine.exec(['npm', 'view', 'left-pad', 'name']);
    expect(code).not.toBe(0);
  });

  it('keeps its disk when it is rebooted, and when its power fails', async () => {
    await machine.put('/etc/kept', 'one\n');
    await machine.put('/run/lost', 'two\n');
    await machine.reboot();
    expect(await machine.read('/etc/kept')).toBe('one\n');
    expect((await machine.exec(['cat', '/run/lost'])).code).toBe(1);
    await machine.cut();
    await machine.start();
    expect(await machine.read('/etc/kept')).toBe('one\n');
  });

  it('tells how a program ended', async () => {
    expect(
      await machine.exec(['sh', '-c', 'id -un; pwd; echo bad >&2; exit 3'], { as: 'nobody', cwd: '/' }),
    ).toEqual({
      code: 3,
      stdout: 'nobody\n/\n',
      stderr: 'bad\n',
    });
  });

  it('does not meet another machine, of which nothing is left', async () => {
    const other = await DebianMachine.boot({ disk: '1g' });
    const isThere = async () => (await readdir(tmpdir())).includes(other.name);
    try {
      expect(await isThere()).toBe(true);
      await other.run(['systemctl', 'stop', 'dbus.service', 'dbus.socket']);
      await other.put('/etc/theirs', '');
      expect(await machine.run(['systemctl', 'is-active', 'dbus.service'])).toBe('active');
      expect((await machine.exec(['cat', '/etc/theirs'])).code).toBe(1);
    } finally {
      await other.dispose();
    }
    expect(await isThere()).toBe(false);
    expect(await machine.run(['systemctl', 'is-system-running'])).toBe('running');
  });
});

describe('a test run that was killed', () => {
  it('is cleaned up after by the next', async () => {
    const child = fileURLToPath(new URL('kit/boot-and-wait.ts', import.meta.url));
    const killed = execa(process.execPath, [child], { reject: false, stderr: 'inherit' });
    const name = await new Promise<string>((resolve) =>
      killed.stdout.once('data', (text) => resolve(String(text).trim())),
    );
    expect((await execa('pgrep', ['-f', name])).stdout).not.toBe('');
    killed.kill('SIGKILL');
    await killed;
    await sweep();
    expect((await readdir(tmpdir())).includes(name)).toBe(false);
    expect((await execa('pgrep', ['-f', name], { reject: false })).stdout).toBe('');
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(name);
  });
});
