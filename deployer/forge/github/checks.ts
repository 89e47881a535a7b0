import { z } from 'zod';
import type { Check } from '../../deployment/model.ts';
import { oneLine } from '../../problem.ts';
import type { Trouble } from '../types.ts';
import type { Health } from './health.ts';
import { parsed, type GitHub } from './client.ts';
import { checkPermissions } from './permissions.ts';

const repository = z.object({
  full_name: z.string(),
  archived: z.boolean().optional(),
  permissions: z.object({ push: z.boolean() }).optional(),
});

/** Whether the repository is there for these credentials, what they may do there, and what was refused lately. */
export async function checkGitHub(github: GitHub, health: Pick<Health, 'trouble'>): Promise<Check[]> {
  const { owner, repo } = github.at;
  const reached = { name: `GitHub: ${owner}/${repo}`, expected: 'readable', location: 'GITHUB_REPOSITORY' };
  try {
    const found = parsed(repository, await github.rest.repos.get({ ...github.at }));
    const earlier = troubled(health.trouble());
    return [
      { ...reached, success: true, actual: 'readable', hint: null },
      writable(found),
      ...earlier,
      ...(await checkPermissions(github)),
    ];
  } catch (error) {
    const hint = health.trouble()?.mend ?? 'give the token or the App access to the repository';
    return [{ ...reached, success: false, actual: oneLine(error), hint }];
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
