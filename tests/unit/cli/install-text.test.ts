import { describe, expect, it } from 'vitest';
import { createPaint } from '../../../deployer/cli/text/paint.ts';
import { installText, uninstallText } from '../../../deployer/cli/text/install.ts';
import type { StepResult } from '../../../deployer/install/execute.ts';
import { parseSettings } from '../../../deployer/settings.ts';

const paint = createPaint({ env: {} }, { write: () => true });
const UNCHANGED: StepResult = { name: 'user deployer', state: 'unchanged', detail: null };
const DONE: StepResult = { name: 'file /etc/deployer/settings', state: 'done', detail: 'missing' };
const PLANNED: StepResult = { ...DONE, state: 'planned' };
const LACKING = 'GITHUB_TOKEN is missing: set it, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY';

const installed = (steps: StepResult[], lacking: string | null = null, isDry = false) =>
  installText({ steps, lacking }, isDry, paint).split('\n');

describe('install tells a person', () => {
  it('what it has done, and then to ask doctor', () => {
    expect(installed([UNCHANGED, { ...DONE, detail: 'its mode is 0777' }])).toEqual([
      '✓ file /etc/deployer/settings  (its mode is 0777)',
      '  next   deployer doctor',
    ]);
  });

  it('that there is nothing to do, where nothing is', () => {
    expect(installed([UNCHANGED, UNCHANGED])).toEqual([
      'nothing to do: 2 things are as they should be',
      '  next   deployer doctor',
    ]);
  });

  const notStarted = (was: string, next: string) => [
    `the deployer ${was}: a setting is missing or wrong`,
    `  why    ${LACKING}`,
    '  where  /etc/deployer/credentials/github-token',
    `  next   ${next}`,
  ];

  it('what keeps the deployer from being started, where that belongs, and what to run then', () => {
    expect(installed([UNCHANGED, DONE], LACKING)).toEqual([
      '✓ file /etc/deployer/settings',
      ...notStarted('was not started', 'npx deployer install'),
    ]);
  });

  it('the same the second time, and not that there is nothing to do', () => {
    const [first, ...more] = notStarted('was not started', 'npx deployer install');
    expect(installed([UNCHANGED, UNCHANGED], LACKING)).toEqual([
      `2 things are as they should be, but ${first}`,
      ...more,
    ]);
  });

  it('with its plan already that it would not start the deployer', () => {
    expect(installed([UNCHANGED, PLANNED], LACKING, true)).toEqual([
      '+ file /etc/deployer/settings',
      ...notStarted('would not be started', 'the same without --dry-run'),
    ]);
    expect(installed([UNCHANGED], LACKING, true)[0]).toMatch(/^1 things .*, but .* would not be started: /);
  });

  it('first of all what has failed', () => {
    const failed: StepResult = { ...DONE, state: 'failed', detail: 'no room' };
    expect(installed([UNCHANGED, failed, { ...DONE, state: 'not-done' }], LACKING)).toEqual([
      '✗ file /etc/deployer/settings  (no room)',
      '  file /etc/deployer/settings  (not done)',
      '  next   mend that, then run the same command again: it goes on where it stopped',
    ]);
  });

  const lines = (env: NodeJS.ProcessEnv): string => {
    try {
      parseSettings(env);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    ['an open setting', lines({ DEPLOYER_LISTEN: 'nowhere' }), '/etc/deployer/settings'],
    ['a setting of GitHub', lines({ GITHUB_REPOSITORY: 'nobody' }), '/etc/deployer/settings'],
    [
      'the secret of the webhook',
      lines({ GITHUB_REPOSITORY: 'a/b', GITHUB_TOKEN: 'x' }),
      '/etc/deployer/credentials/github-webhook-secret',
    ],
    [
      'the number of an App, which is no secret as its key is',
      lines({ GITHUB_REPOSITORY: 'a/b', GITHUB_APP_PRIVATE_KEY: 'x' }),
      '/etc/deployer/settings',
    ],
    ['a line', '/etc/deployer/settings:3: expected NAME=value', '/etc/deployer/settings'],
    [
      'a secret of another machine',
      'prod.env was encrypted by another machine: write it anew to /etc/deployer/credentials/prod.env, then deployer install',
      '/etc/deployer/credentials/prod.env',
    ],
  ])('of %s, in which file it belongs', (_, lacking, file) => {
    expect(installed([UNCHANGED], lacking)).toContain(`  where  ${file}`);
  });
});

describe('uninstall tells a person', () => {
  it('what it has taken away, and what stays', () => {
    const kept = [{ path: '/var/lib/deployer', what: 'data and backups' }];
    expect(uninstallText({ steps: [DONE], kept }, paint)).toBe(
      '✓ file /etc/deployer/settings\n  kept   /var/lib/deployer: data and backups',
    );
    expect(uninstallText({ steps: [], kept: [] }, paint)).toBe(
      'nothing to do: 0 things are as they should be',
    );
  });
});
