import { z } from 'zod';
import type { Check } from '../../deployment/model.ts';
import { oneLine } from '../../problem.ts';
import { askRemote } from '../../release/remote.ts';
import type { Remote, Trouble } from '../types.ts';
import type { Health } from './health.ts';
import { parsed, type GitHub } from './client.ts';
import { isSame } from './identity.ts';
import { checkPermissions } from './permissions.ts';

const repository = z.object({
  full_name: z.string(),
  archived: z.boolean().optional(),
  permissions: z.object({ push: z.boolean() }).optional(),
});

/** Whether the repository is there for these credentials, what they may do there, and what was refused lately. */
export async function checkGitHub(
  github: GitHub,
  { health, remote }: { health: Pick<Health, 'trouble'>; remote: Remote },
): Promise<Check[]> {
  const { owner, repo } = github.at;
  const reached = { name: `GitHub: ${owner}/${repo}`, expected: 'readable', location: 'GITHUB_REPOSITORY' };
  try {
    const found = parsed(repository, await github.rest.repos.get({ ...github.at }));
    const earlier = troubled(health.trouble());
    return [
      { ...reached, success: true, actual: 'readable', hint: null },
      ...renamed(found, `${owner}/${repo}`),
      writable(found),
      await readableByGit(remote, health),
      ...earlier,
      ...(await checkPermissions(github)),
    ];
  } catch (error) {
    const hint = health.trouble()?.mend ?? 'give the token or the App access to the repository';
    return [{ ...reached, success: false, actual: oneLine(error), hint }];
  }
}

async function readableByGit(remote: Remote, health: Pick<Health, 'trouble'>): Promise<Check> {
  const check = { name: 'GitHub: git', expected: 'readable', location: remote.url };
  try {
    await askRemote(remote);
    return { ...check, success: true, actual: 'readable', hint: null };
  } catch (error) {
    return { ...check, success: false, actual: oneLine(error), hint: health.trouble()?.mend ?? null };
  }
}

/** Whether the repository is there for these credentials and may be written to, as far as GitHub says. */
export async function isWritable(github: GitHub): Promise<boolean> {
  return writable(parsed(repository, await github.rest.repos.get({ ...github.at }))).success;
}

function writable({ archived, permissions }: z.infer<typeof repository>): Check {
  const expected = 'contents may be written';
  // An App is not told here.
  const success = !archived && permissions?.push !== false;
  return {
    name: 'GitHub: permissions',
    success,
    expected,
    actual: success ? expected : archived ? 'the repository is archived' : 'read only',
    hint: success ? null : 'give the token contents=write, and the other permissions that the README lists',
    location: 'GITHUB_TOKEN',
  };
}

/** It goes on, but deliveries and links are of the new name, and the old one is anybody's. */
function renamed({ full_name: now }: z.infer<typeof repository>, configured: string): Check[] {
  if (isSame(now, configured)) return [];
  const hint = `set GITHUB_REPOSITORY=${now} and restart the deployer`;
  const name = 'GitHub: its name';
  return [{ name, success: false, expected: configured, actual: now, hint, location: 'GITHUB_REPOSITORY' }];
}

function troubled(trouble: Trouble | null): Check[] {
  if (!trouble) return [];
  const { since, what, mend } = trouble;
  return [
    {
      name: 'GitHub: reports',
      success: false,
      expected: 'taken',
      actual: `${what} (since ${since})`,
      hint: mend,
      location: null,
    },
  ];
}
