import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { githubForge } from '../../../../deployer/forge/github/forge.ts';
import type { Time } from '../../../../deployer/forge/github/pace.ts';
import type { Forge } from '../../../../deployer/forge/types.ts';
import { ensureRepository } from '../../../../deployer/release/repository.ts';
import { parseSettings } from '../../../../deployer/settings.ts';
import type { App } from '../../../kit/github/credentials.ts';
import { GitHub } from '../../../kit/github/github.ts';
import { Repository } from '../../../kit/repository.ts';
import { scratch } from '../../release/fixture.ts';

/** Time that passes only by waiting, so that GitHub's limits cost a test nothing; `waited` is all of it. */
class FastTime implements Time {
  waited = 0;
  readonly now = (): number => this.waited;
  readonly wait = async (milliseconds: number): Promise<void> => {
    this.waited += milliseconds;
  };
}

export interface GitHubPlace {
  github: GitHub;
  forge: Forge;
  time: FastTime;
  token: string;
  home: string;
  /** A developer's clone, on `main`, which has a first commit. */
  work: Repository;
  first: string;
  /** Another deployer process on the same home. */
  again: (more?: Partial<Deployer>) => Forge;
}

/** The double of GitHub with a repository, and the forge that speaks to it. */
export async function githubPlace(app?: (github: GitHub) => App): Promise<GitHubPlace> {
  const directory = await scratch();
  const github = await GitHub.start(directory);
  onTestFinished(() => github.stop());
  const token = github.grant();
  const home = join(directory, 'home');
  await ensureRepository(join(home, 'mirror.git'));
  const work = await Repository.clone(join(directory, 'work'), github.pushUrl);
  const first = await work.commit('First', { a: '1\n', b: '1\n' });
  await work.push('HEAD:main');
  const time = new FastTime();
  const env = app ? github.appSettings(app(github)) : github.settings(token);
  const again = (more: Partial<Deployer> = {}) =>
    forgeOf({ home, time, clock: () => new Date(), ...more, env: { ...env, ...more.env } });
  return { github, forge: again(), time, token, home, work, first, again };
}

interface Deployer {
  env: Record<string, string>;
  home: string;
  time: Time;
  clock: () => Date;
  url?: string;
  deadlineMs?: number;
}

function forgeOf({ env, url = 'https://deploy.example.org', ...rest }: Deployer): Forge {
  const { github: settings } = parseSettings({ ...env, GITHUB_WEBHOOK_SECRET: 'secret' });
  if (!settings) throw new Error('no settings of GitHub');
  const forge = githubForge({ settings, url, ...rest });
  onTestFinished(() => forge.close?.());
  return forge;
}
