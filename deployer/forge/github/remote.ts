import type { GitHubSettings } from '../../settings.ts';
import type { Remote } from '../types.ts';
import type { GitHub } from './client.ts';
import { gitAccess } from './credentials.ts';
import { isRefusal, type Health } from './health.ts';

/** The repository's page, by the name that it has now. */
export const pageOf = ({ serverUrl }: Pick<GitHubSettings, 'serverUrl'>, { at }: Pick<GitHub, 'at'>) =>
  `${serverUrl}/${at.owner}/${at.repo}`;

/** The repository for git, with the credentials of the API; what becomes of its uses is told to `health`. */
export function remoteOf(
  settings: Pick<GitHubSettings, 'serverUrl'>,
  github: Pick<GitHub, 'at' | 'credentials'>,
  health: Pick<Health, 'gitUsed'>,
): Remote {
  return {
    get url() {
      return `${pageOf(settings, github)}.git`;
    },
    access: async () => gitAccess(settings.serverUrl, await github.credentials.token()),
    used(failure) {
      health.gitUsed(failure);
      if (failure !== null && isRefusal(failure)) github.credentials.renew();
    },
  };
}
