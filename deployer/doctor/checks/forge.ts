import { githubForge } from '../../forge/github/forge.ts';
import type { Examine } from '../check.ts';

/** The repository on GitHub can be reached with these credentials, and they may do what is needed. */
export const forge: Examine = async ({ home, settings, now }) => {
  if (!settings?.github) return [];
  const { github, url } = settings;
  const asked = githubForge({ settings: github, home, url, clock: () => now });
  try {
    return await asked.checks();
  } finally {
    asked.close?.();
  }
};
