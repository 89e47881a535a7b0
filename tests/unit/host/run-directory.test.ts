import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { runDirectory } from '../../../deployer/host/run-directory.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'r-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A home with a path that is too long for sockets, and a runtime directory of the user. */
function longHome() {
  const base = scratch();
  const home = join(base, 'long'.repeat(30));
  const runtime = scratch();
  return { home, runtime, env: { XDG_RUNTIME_DIR: runtime } };
}

describe('the run directory', () => {
  test('is within the home, private, when sockets fit', () => {
    const home = scratch();
    const directory = runDirectory(home, {}).of('dev');
    expect(directory).toBe(join(home, 'run', 'dev'));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(runDirectory(home, {}).of('dev')).toBe(directory);
  });

  test('is a private one with a short path when they do not, and the home leads to it', () => {
    const { home, runtime, env } = longHome();
    const directory = runDirectory(home, env).of('dev');
    expect(directory.startsWith(join(runtime, 'deploy-'))).toBe(true);
    expect(statSync(join(directory, '..')).mode & 0o777).toBe(0o700);
    expect(join(readlinkSync(join(home, 'run')), 'dev')).toBe(directory);
    const other = runDirectory(`${home}-2`, env).of('dev');
    expect(other).not.toBe(directory);
  });

  test('is found again by a daemon with another environment, and made anew when it is gone', () => {
    const { home, runtime, env } = longHome();
    const directory = runDirectory(home, env).of('dev');
    const elsewhere = { XDG_RUNTIME_DIR: scratch() };
    expect(runDirectory(home, elsewhere).of('dev')).toBe(directory);
    rmSync(runtime, { recursive: true });
    expect(runDirectory(home, elsewhere).of('dev')).toContain(elsewhere.XDG_RUNTIME_DIR);
  });

  test('falls back to the temporary directory', () => {
    const { home } = longHome();
    const directory = runDirectory(home, {}).of('dev');
    onTestFinished(() => rmSync(join(directory, '..'), { recursive: true }));
    expect(directory.startsWith(tmpdir())).toBe(true);
    const far = runDirectory(`${home}-2`, { XDG_RUNTIME_DIR: `/${'far'.repeat(40)}` }).of('dev');
    onTestFinished(() => rmSync(join(far, '..'), { recursive: true }));
    expect(far.startsWith(tmpdir())).toBe(true);
  });

  test('is refused when somebody has prepared a link, a file or a directory of another user there', () => {
    const { home, env } = longHome();
    const root = join(runDirectory(home, env).of('dev'), '..');
    rmSync(root, { recursive: true });
    symlinkSync(scratch(), root);
    expect(() => runDirectory(home, env).of('dev')).toThrow('is not a directory');
    rmSync(root);
    writeFileSync(root, '');
    expect(() => runDirectory(home, env).of('dev')).toThrow(/is not a directory|EEXIST/);
    rmSync(root);
    mkdirSync(root);
    vi.spyOn(process, 'getuid').mockReturnValue(4242);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(() => runDirectory(home, env).of('dev')).toThrow('belongs to another user');
  });

  test('is closed to others when it was open', () => {
    const { home, env } = longHome();
    const directory = runDirectory(home, env).of('dev');
    chmodSync(join(directory, '..'), 0o755);
    runDirectory(home, env).of('dev');
    expect(statSync(join(directory, '..')).mode & 0o777).toBe(0o700);
  });

  test('takes only the name of an environment', () => {
    expect(() => runDirectory(scratch(), {}).of('../x')).toThrow("is no environment's name");
  });
});
