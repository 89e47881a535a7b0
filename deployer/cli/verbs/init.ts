import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError, parseEnvironment } from '../../../environments/parse.ts';
import type { Environment } from '../../../environments/schema.ts';
import type { Check } from '../../deployment/model.ts';
import { ForgeError } from '../../forge/types.ts';
import { codeOf, oneLine, SettingsError, UsageError } from '../../problem.ts';
import { withSettingsFile, type KeptSettings } from '../../settings-file.ts';
import { parseSettings, type Settings } from '../../settings.ts';
import { ConnectionError } from '../failure.ts';
import { keptSettings } from '../kept-settings.ts';
import { failedCheck } from '../text/suites.ts';
import type { Verb } from '../verb.ts';
import type { Paint } from '../text/paint.ts';

/** What the file keeps, as far as it was said; what is in the credentials' directory stays there. */
const KEPT = [
  'GITHUB_REPOSITORY',
  'GITHUB_SERVER_URL',
  'GITHUB_API_URL',
  'GITHUB_TOKEN',
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'DEPLOYER_LISTEN',
  'DEPLOYER_URL',
];

const SETTINGS_FILE = 'settings file';

export const init: Verb = {
  name: 'init',
  arguments: [],
  summary: 'connects a repository on GitHub: permissions, webhook, settings file',
  options: {
    repo: { value: 'OWNER/NAME', help: 'the repository; default: GITHUB_REPOSITORY' },
    file: {
      value: 'FILE',
      help: 'the settings file to write; default: settings.env in the home, which start reads, or on a host its settings and credentials',
    },
  },
  async run({ args, io, paint }) {
    const kept = await keptSettings(io, args.text('file') ?? null);
    const repository = args.text('repo');
    const env = {
      ...(await kept.read()),
      ...withSettingsFile(io.env, io.cwd),
      ...(repository !== undefined && { GITHUB_REPOSITORY: repository }),
    };
    const made = randomBytes(32).toString('hex');
    const { github, url, webhookSecret } = settingsOf(env, made);
    if (!github) throw new UsageError('init needs --repo owner/name');
    const secret = webhookSecret ?? made;
    // octokit is for this verb and the daemon alone: no other should wait for it.
    const { initGitHub } = await import('../../forge/github/init/init.ts');
    const environments = environmentsIn(io.cwd);
    const isNew = secret === made;
    const { signal } = io;
    const asked = { settings: github, url, secret, isNew, environments, signal };
    const { checks, reached } = await initGitHub(asked).catch((error: unknown) => {
      if (!(error instanceof ForgeError)) throw error;
      throw new ConnectionError(oneLine(error), github.apiUrl, 'run init again: what is done stays done');
    });
    if (environments.length === 0) checks.push(noEnvironments(io.cwd));
    const values = { ...pick(env), ...(isNew && { GITHUB_WEBHOOK_SECRET: secret }), ...keptSecret(env) };
    if (reached) checks.push(await keep(kept, values));
    const success = checks.every((check) => check.success);
    return {
      outcome: success ? 'ok' : 'failed',
      details: { checks },
      text: textOf(checks, success ? kept.next : null, paint),
    };
  },
};

/** A secret that is missing is one that is made here. */
function settingsOf(env: NodeJS.ProcessEnv, made: string): Settings {
  try {
    return parseSettings(env);
  } catch (error) {
    const isMissing =
      error instanceof SettingsError && error.message.startsWith('GITHUB_WEBHOOK_SECRET is missing');
    if (!isMissing) throw error;
    return parseSettings({ ...env, GITHUB_WEBHOOK_SECRET: made });
  }
}

function pick(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(KEPT.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

const keptSecret = ({ GITHUB_WEBHOOK_SECRET: secret }: NodeJS.ProcessEnv) =>
  secret ? { GITHUB_WEBHOOK_SECRET: secret } : {};

/** Those of the checkout in which it is called. */
function environmentsIn(directory: string): Environment[] {
  const folder = join(directory, 'environments');
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    return names.map((name) =>
      parseEnvironment(readFileSync(join(folder, name), 'utf8'), `environments/${name}`),
    );
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (error instanceof EnvironmentError) throw new UsageError(oneLine(error), { cause: error });
    throw error;
  }
}

const noEnvironments = (directory: string): Check => ({
  name: 'environments',
  success: true,
  expected: 'environments/*.yaml',
  actual: `none in ${directory}`,
  hint: 'run init in a checkout of the repository to see what its branches could require',
  location: null,
});

async function keep(kept: KeptSettings, values: Record<string, string>): Promise<Check> {
  const actual = (await kept.write(values)) ? 'as it should be' : 'written';
  const expected = 'nobody else may read it';
  return { name: SETTINGS_FILE, success: true, expected, actual, hint: null, location: kept.location };
}

/** One line for each, what failed and what is proposed with its mend. */
function textOf(checks: readonly Check[], next: string | null, paint: Paint): string {
  const lines = checks.flatMap((check) => {
    if (!check.success) return failedCheck(check, paint);
    const where = check.name === SETTINGS_FILE ? ` (${check.location})` : '';
    const head = `    ${paint.good('✓')} ${check.name}: ${check.actual}${where}`;
    return check.hint === null ? [head] : [head, `        hint      ${check.hint}`];
  });
  return [...lines, `  next      ${next ?? 'mend what failed, and run init again'}`].join('\n');
}
