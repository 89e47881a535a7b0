import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';
import { z } from 'zod';
import type { GitHubSettings } from '../../settings.ts';
import type { Access } from '../types.ts';

export interface Credentials {
  /** A token that is valid now. @throws GitHubError when the App's cannot be had */
  token(): Promise<string>;
  /** GitHub did not take the last one. */
  renew(): void;
}

const installation = z.object({ id: z.number() });

/** The token of the settings, or those of the App's installation in the repository: found there, renewed before they end. */
export function createCredentials(options: {
  settings: Pick<GitHubSettings, 'repository' | 'token' | 'app'>;
  /** Asks with the authorization that it is given. */
  request: Octokit['request'];
}): Credentials {
  const { settings, request } = options;
  const { token, app } = settings;
  if (!app) return { token: async () => token ?? '', renew: () => {} };

  const auth = createAppAuth({ appId: app.id, privateKey: app.privateKey, request });
  let installationId: number | null = null;
  let refresh = false;

  async function find(): Promise<number> {
    const { token: jwt } = await auth({ type: 'app' });
    const headers = { authorization: `bearer ${jwt}` };
    const answer = await request(`GET /repos/${settings.repository}/installation`, { headers });
    return installation.parse(answer.data).id;
  }

  return {
    async token() {
      installationId ??= await find();
      const made = await auth({ type: 'installation', installationId, refresh });
      refresh = false;
      return made.token;
    },
    renew() {
      installationId = null;
      refresh = true;
    },
  };
}

/**
 * How git uses a token: the environment names only a helper, which reads the token from file descriptor 3. So neither argv,
 * environment nor disk hold it, and no other server than this one gets it (git asks helpers for each address).
 */
export function gitAccess(serverUrl: string, token: string): Access {
  const configuration: [string, string][] = [
    ['credential.helper', ''],
    [`credential.${serverUrl}.helper`, '!helper() { test "$1" = get && cat <&3; }; helper'],
  ];
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(configuration.length) };
  for (const [index, [key, value]] of configuration.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return { env, secret: `username=x-access-token\npassword=${token}\n` };
}
