import { z } from 'zod';
import type { Named } from '../types.ts';
import { parsed, type GitHub } from './client.ts';
import type { Health } from './health.ts';

const repository = z.object({ id: z.number(), full_name: z.string() });

/**
 * Which repository this is, by the id that it keeps when it is renamed or transferred. GitHub leads its old name on to the
 * new one, until somebody makes another repository of that name: from then on the new name is used.
 * https://docs.github.com/repositories/creating-and-managing-repositories/renaming-a-repository
 */
export function createIdentity(github: Pick<GitHub, 'rest' | 'at'>, health: Pick<Health, 'told' | 'over'>) {
  const configured = `${github.at.owner}/${github.at.repo}`;
  let id: number | null = null;

  function called(now: string): void {
    const [owner = '', repo = ''] = now.split('/');
    Object.assign(github.at, { owner, repo });
    if (isSame(now, configured)) health.over('name');
    else health.told('name', ...renamed(configured, now));
  }

  return {
    /** Asks what it is called now. @throws GitHubError */
    async look(): Promise<void> {
      const request = { conditional: true };
      const found = parsed(repository, await github.rest.repos.get({ ...github.at, request }));
      // Somebody else's repository by now, under the old name.
      if (id !== null && found.id !== id) return health.told('name', ...replaced(configured));
      id = found.id;
      called(found.full_name);
    },

    /** Whether an authentic delivery is of this repository; it tells of a new name sooner than the next look. */
    owns(from: Named): boolean {
      if (id === null || from.id === undefined) return isSame(from.full_name, configured);
      // One of before the rename may be sent again.
      if (from.id === id && !isSame(from.full_name, configured)) called(from.full_name);
      return from.id === id;
    },
  };
}

/** GitHub does not tell upper from lower case in them. */
export const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

const renamed = (before: string, now: string): [what: string, mend: string] => [
  `${before} is called ${now} now`,
  `set GITHUB_REPOSITORY=${now} and restart the deployer`,
];

const replaced = (name: string): [what: string, mend: string] => [
  `${name} is another repository than it was`,
  'set GITHUB_REPOSITORY to the present name of the repository and restart the deployer',
];
