import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claimHome, homeSecret } from '../../../deployer/daemon/home.ts';
import { SettingsError } from '../../../deployer/problem.ts';
import { scratch, thrown } from '../scratch.ts';

const HOLDER = fileURLToPath(new URL('hold-home.ts', import.meta.url));
const mode = (file: string) => statSync(file).mode & 0o777;

async function holder(home: string) {
  const child = spawn(process.execPath, [HOLDER, home], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  return { pid: child.pid, kill: async () => (child.kill('SIGKILL'), ended) };
}

function claim(home: string) {
  const lock = claimHome(home);
  onTestFinished(() => lock.release());
  return lock;
}

describe('a home', () => {
  it('is made for its owner alone', () => {
    const home = join(scratch(), 'deep', 'home');
    claim(home);
    expect(mode(home)).toBe(0o700);
    expect(readFileSync(join(home, 'deployer.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });

  it('is not claimed twice: the second is told by whom', () => {
    const home = scratch();
    const first = claim(home);
    const { message } = thrown(SettingsError, () => claimHome(home));
    expect(message).toBe(`DEPLOYER_HOME ${home} is in use by another deployer (process ${process.pid})`);
    first.release();
    expect(() => claim(home)).not.toThrow();
  });

  it('of another process is named with that process, and free once that was killed', async () => {
    const home = scratch();
    const other = await holder(home);
    const { message } = thrown(SettingsError, () => claimHome(home));
    expect(message).toContain(`(process ${other.pid})`);
    await other.kill();
    expect(() => claim(home)).not.toThrow();
  });

  it('is left as it is by whoever does not get it', async () => {
    const home = scratch();
    const other = await holder(home);
    thrown(SettingsError, () => claimHome(home));
    thrown(SettingsError, () => claimHome(home));
    expect(readFileSync(join(home, 'deployer.pid'), 'utf8')).toBe(`${other.pid}\n`);
  });

  it('does not meet another home', () => {
    claim(scratch());
    expect(() => claim(scratch())).not.toThrow();
  });

  it('below a file cannot be written, and that is said in one line', () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, '');
    for (const home of [file, join(file, 'home')]) {
      const { message } = thrown(SettingsError, () => claimHome(home));
      expect(message).toMatch(
        /^DEPLOYER_HOME .* cannot be written \((EEXIST|ENOTDIR)\): choose another directory$/,
      );
    }
  });

  it('on a file system that is read-only cannot be written', () => {
    const { message } = thrown(SettingsError, () => claimHome('/proc/self'));
    expect(message).toMatch(/^DEPLOYER_HOME \/proc\/self (cannot be written|: its deployer\.lock)/);
  });

  it('whose lock is no lock cannot be claimed', () => {
    const home = scratch();
    mkdirSync(join(home, 'deployer.lock'));
    const { message } = thrown(SettingsError, () => claimHome(home));
    expect(message).toMatch(/its deployer\.lock cannot be locked \(SQLITE_CANTOPEN/);
  });

  it('of a very long path is claimed too', () => {
    const home = join(scratch(), ...Array.from({ length: 8 }, () => 'x'.repeat(40)));
    expect(() => claim(home)).not.toThrow();
  });
});

describe('a secret of the home', () => {
  it('is generated once, readable by its owner alone', () => {
    const home = scratch();
    const secret = homeSecret(home, 'admin-token');
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(mode(join(home, 'admin-token'))).toBe(0o600);
    expect(homeSecret(home, 'admin-token')).toBe(secret);
    expect(homeSecret(home, 'webhook-secret')).not.toBe(secret);
    expect(homeSecret(scratch(), 'admin-token')).not.toBe(secret);
  });

  it('that a person has put there is taken', () => {
    const home = scratch();
    writeFileSync(join(home, 'admin-token'), '  my own token\n');
    expect(homeSecret(home, 'admin-token')).toBe('my own token');
  });

  it('is not written where others can read it, also when an empty file was there', () => {
    const home = scratch();
    const file = join(home, 'admin-token');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    homeSecret(home, 'admin-token');
    expect(mode(file)).toBe(0o600);
  });
});
