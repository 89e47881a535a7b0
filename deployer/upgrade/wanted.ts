import { join } from 'node:path';
import type { Journal } from '../deployment/journal.ts';
import type { DeploymentRecord } from '../deployment/record.ts';
import { deployerIn } from './identity.ts';

/** A deployer that was brought by a deployment. */
export interface Wanted {
  tree: string;
  commit: string;
  environment: string;
  identity: string;
  /** The release in the home. */
  directory: string;
}

/**
 * The deployer that `main` has brought since what runs was put there; null: none, or the same. `main` is what the
 * environment with a gate runs, or the only one. What a rollback makes live is not meant to change the deployer.
 */
export async function wantedDeployer(parts: {
  home: string;
  journal: Pick<Journal, 'liveOf'>;
  names: () => Promise<string[]>;
  since: Date;
  running: string;
}): Promise<Wanted | null> {
  const { home, journal, names, since, running } = parts;
  const live = (await Promise.all((await names()).map((name) => journal.liveOf(name)))).filter(
    (record) => record !== null,
  );
  const gated = live.filter(({ config }) => config?.requires !== undefined);
  const meant = gated.length > 0 ? gated : live.length === 1 ? live : [];
  const [newest] = meant
    .filter((record) => finished(record) > since)
    .toSorted((a, b) => finished(b).getTime() - finished(a).getTime());
  if (newest?.kind !== 'deploy' || newest.outcome !== 'deployed' || newest.tree === null) return null;
  const directory = join(home, 'releases', newest.tree);
  const identity = await deployerIn(directory);
  if (identity === null || identity === (await deployerIn(running))) return null;
  return { tree: newest.tree, commit: newest.commit, environment: newest.environment, identity, directory };
}

const finished = ({ finishedAt }: DeploymentRecord): Date => new Date(finishedAt ?? 0);
