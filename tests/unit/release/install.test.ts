import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../deployer/host/types.ts';
import { FailedError, TransientError, UnreachableError } from '../../../deployer/problem.ts';
import { firstCause, installEnvironment, runInstall } from '../../../deployer/release/install.ts';
import { scratch } from '../../integration/release/fixture.ts';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const OUT_OF_SYNC = [
  'npm error code EUSAGE',
  'npm error',
  'npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.',
  'npm error Missing: left-pad@1.3.0 from lock file',
  'npm error A complete log of this run can be found in: /home/x/_logs/debug.log',
];

describe('why an install failed', () => {
  it('is told in one line from what npm spreads over several', () => {
    expect(firstCause(['added 3 packages', ...OUT_OF_SYNC])).toBe(
      'package-lock.json is not in sync with package.json: Missing: left-pad@1.3.0 from lock file; run npm install and commit it',
    );
    const unknown = ['code ETARGET', 'notarget No matching version found for ms@99.9.9.', 'notarget Perhaps'];
    expect(firstCause(unknown.map((line) => `npm error ${line}`))).toBe(
      'ETARGET: No matching version found for ms@99.9.9. Perhaps',
    );
  });

  it('is the first line of another program that looks like a reason, else its last', () => {
    expect(firstCause(['resolving', 'error: no such module', 'failed'])).toBe('error: no such module');
    expect(firstCause(['one', 'two', ''])).toBe('two');
    expect(firstCause([])).toBe('');
  });

  const install = async (result: Partial<CommandResult>, lines: string[] = []): Promise<void> => {
    const directory = join(await scratch(), 'release');
    await runInstall(
      ['npm', 'ci', '--omit=dev'],
      directory,
      { log: () => {}, signal: new AbortController().signal },
      {
        home: directory,
        env: {},
        runCommand: async ({ log }) => {
          for (const line of lines) log(line);
          return { exitCode: 0, timedOut: false, stdout: '', tail: '', ...result };
        },
      },
    );
  };

  it('names the command, how it ended and the cause', async () => {
    await expect(install({ exitCode: 1 }, OUT_OF_SYNC)).rejects.toThrow(
      'npm ci exited with 1: package-lock.json is not in sync',
    );
    await expect(install({ exitCode: 3 })).rejects.toThrow(/^npm ci exited with 3$/);
    await expect(install({ exitCode: 1, tail: 'error: disk full' })).rejects.toThrow(
      'exited with 1: error: disk full',
    );
    await expect(install({ exitCode: null })).rejects.toThrow('npm ci was killed');
    await expect(install({ exitCode: null, timedOut: true })).rejects.toThrow('took longer than 15 minutes');
  });
});

describe('a registry that does not answer', () => {
  const DOWN = ['npm error code ECONNREFUSED', 'npm error network request to /ms failed'];

  /** How often it is tried when so many tries find what the lines say, and how it ends. */
  const install = async (failing: number, lines: readonly string[]) => {
    const directory = join(await scratch(), 'release');
    let tries = 0;
    const runCommand = async ({ log }: { log: (line: string) => void }): Promise<CommandResult> => {
      const exitCode = ++tries > failing ? 0 : 1;
      if (exitCode !== 0) for (const line of lines) log(line);
      return { exitCode, timedOut: false, stdout: '', tail: '' };
    };
    const request = { log: () => {}, signal: new AbortController().signal };
    const options = { home: directory, env: {}, pauses: [1, 2], runCommand };
    const error = await runInstall(['npm', 'ci'], directory, request, options).catch(
      (caught: unknown) => caught,
    );
    return { tries, error };
  };

  it('is asked again, a few times', async () => {
    expect(await install(2, DOWN)).toEqual({ tries: 3, error: undefined });
    const down = await install(9, DOWN);
    expect(down.tries).toBe(3);
    expect(down.error).toBeInstanceOf(UnreachableError);
  });

  it('is not what a commit is blamed for, nor is a full disk; an answer is', async () => {
    const full = await install(9, ['npm error code ENOSPC', 'npm error nospc There appears to be no space']);
    expect(full).toEqual({ tries: 1, error: expect.any(TransientError) as unknown });
    const { tries, error } = await install(9, OUT_OF_SYNC);
    expect([tries, error instanceof FailedError, error instanceof TransientError]).toEqual([1, true, false]);
  });
});

describe('the environment of an install', () => {
  it('has what npm needs of the deployer’s and no secret of it', async () => {
    const home = await scratch();
    const elsewhere = join(home, 'versions', 'bin');
    await mkdir(elsewhere, { recursive: true });
    await writeFile(join(elsewhere, 'npm'), '');
    await writeFile(join(home, '.npmrc'), 'registry=https://registry.example.org/');
    const env = await installEnvironment('/srv/release', '/tmp/scratch', {
      home,
      runCommand: async () => await Promise.reject(new Error('not here')),
      env: {
        HOME: home,
        PATH: `relative:/nowhere:${elsewhere}`,
        GITHUB_TOKEN: 'canary-1',
        DEPLOYER_ADMIN_TOKEN: 'canary-2',
        npm_config__authToken: 'canary-3',
        NODE_OPTIONS: '--require=canary-4',
        npm_config_registry: 'https://registry.example.org/',
        HTTPS_PROXY: 'http://proxy.example.org:3128',
        NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
      },
    });
    expect(JSON.stringify(env)).not.toContain('canary');
    expect(env['PATH']?.split(':')[0]).toBe('/srv/release/node_modules/.bin');
    expect(env['PATH']?.split(':').at(-1)).toBe(elsewhere);
    expect(env).toMatchObject({
      HOME: '/tmp/scratch',
      CI: 'true',
      npm_config_cache: join(home, 'cache', 'npm'),
      npm_config_ignore_scripts: 'true',
      npm_config_userconfig: join(home, '.npmrc'),
      npm_config_registry: 'https://registry.example.org/',
      HTTPS_PROXY: 'http://proxy.example.org:3128',
      NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
    });
  });
});
