import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { verify } from '../../../deployer/deployment/programs.ts';

it('does not blame the verification of a release for the hold that ended it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  const hold = new AbortController();
  const tools = {
    home,
    clock: () => new Date(),
    secretsOf: () => ({}),
    splitCommand: (command: string) => [command],
    runDirectory: { of: () => home },
    // As a program that is killed halfway.
    runCommand: async () => {
      hold.abort(new Error('the hold would have lasted too long'));
      return Promise.resolve({ exitCode: null, timedOut: false, stdout: '', tail: '' });
    },
  } as never;
  const config = {
    name: 'dev',
    listen: '127.0.0.1:1',
    commands: { verify: 'verify' },
    verify: { timeout: 1000 },
  };
  const context = {
    config,
    release: { directory: home, tree: 'tree' },
    deployment: { id: 'id', commit: 'commit', branch: 'dev' },
    signal: hold.signal,
    log: () => {},
    background: false,
  } as never;
  const instance = { environment: 'dev', slot: 'blue' };
  const verified = verify(tools, context, { instance, generation: null, suites: [] });
  await expect(verified).rejects.toThrow('the hold would have lasted too long');
  rmSync(home, { recursive: true });
});
