import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettingsFile, updatedText, withSettingsFile } from '../../../deployer/settings-file.ts';

describe('the settings file', () => {
  let home: string;
  let file: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'settings-'));
    file = join(home, 'settings.env');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('is read as systemd reads an EnvironmentFile', () => {
    writeFileSync(
      file,
      '# a comment\n; another\n\nGITHUB_REPOSITORY=o/n\n' +
        'GITHUB_TOKEN="a \\"b\\" \\$c\\\\"\nGITHUB_APP_PRIVATE_KEY=\'one\ntwo\'\nDEPLOYER_LISTEN= 127.0.0.1:1 \n',
    );
    expect(readSettingsFile(file)).toEqual({
      GITHUB_REPOSITORY: 'o/n',
      GITHUB_TOKEN: 'a "b" $c\\',
      GITHUB_APP_PRIVATE_KEY: 'one\ntwo',
      DEPLOYER_LISTEN: '127.0.0.1:1',
    });
  });

  it('adds to the environment, and a variable that is set wins', () => {
    writeFileSync(file, 'DEPLOYER_URL=https://file.example\nGITHUB_TOKEN=file\nGITHUB_REPOSITORY=o/n\n');
    const env = withSettingsFile({ DEPLOYER_HOME: home, GITHUB_TOKEN: 'mine', GITHUB_REPOSITORY: '' });
    expect(env).toEqual({
      DEPLOYER_HOME: home,
      DEPLOYER_URL: 'https://file.example',
      GITHUB_TOKEN: 'mine',
      GITHUB_REPOSITORY: 'o/n',
    });
    expect(withSettingsFile({ DEPLOYER_HOME: join(home, 'none') })).toEqual({
      DEPLOYER_HOME: join(home, 'none'),
    });
  });

  it.each([
    [
      'GITHUB_REPOSITORY=o/n\nGITHUB_TOKEM=hush',
      /settings\.env:2: GITHUB_TOKEM is no setting that is kept here$/,
    ],
    ['DEPLOYER_HOME=/x', /:1: DEPLOYER_HOME is no setting that is kept here$/],
    ['\nhush', /:2: expected NAME=value$/],
    ['GITHUB_TOKEN="hush', /:1: expected NAME=value$/],
  ])('names the line of what it does not know, and never a value: %j', (text, problem) => {
    writeFileSync(file, text);
    expect(() => readSettingsFile(file)).toThrow(problem);
    expect(() => readSettingsFile(file)).not.toThrow(/hush/);
  });

  it('keeps the lines of others when it changes, and stays the same when nothing does', () => {
    const values = { GITHUB_REPOSITORY: 'o/n', GITHUB_APP_PRIVATE_KEY: '-----BEGIN\n$a "b"\n-----END\n' };
    const once = updatedText(
      '# mine\nDEPLOYER_LISTEN=127.0.0.1:1\nGITHUB_REPOSITORY=old/one\n# end',
      values,
      file,
    );
    expect(once).toMatch(
      /^# mine\nDEPLOYER_LISTEN=127.0.0.1:1\nGITHUB_REPOSITORY=o\/n\n# end\nGITHUB_APP_PRIVATE_KEY="/,
    );
    expect(updatedText(once, values, file)).toBe(once);
    writeFileSync(file, once);
    expect(readSettingsFile(file)).toEqual({ ...values, DEPLOYER_LISTEN: '127.0.0.1:1' });
    const twice = updatedText(once, { GITHUB_APP_PRIVATE_KEY: 'short' }, file);
    expect(twice).toMatch(/# end\nGITHUB_APP_PRIVATE_KEY=short\n$/);
  });
});
