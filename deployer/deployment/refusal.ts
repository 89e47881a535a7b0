import type { Environment } from '../../environments/schema.ts';
import type { DeploymentRecord } from './record.ts';
import type { Tools } from './work.ts';

type Wanted = Pick<DeploymentRecord, 'kind' | 'environment' | 'branch' | 'commit' | 'tree' | 'request'>;

/** Why it is refused before anything is fetched: a lock or the quarantine says no; null: it is not. */
export async function refusal(
  { policy, journal }: Pick<Tools, 'policy' | 'journal'>,
  { kind, environment, commit, tree, request }: Wanted,
): Promise<string | null> {
  if (kind === 'rehearsal' || request.override) return null;
  const locked = await policy.locked(environment);
  if (locked || kind !== 'deploy') return locked;
  // What is live already is `deployed` at once.
  const live = await journal.liveOf(environment);
  return live && live.tree === tree ? null : policy.quarantined(environment, commit);
}

/** Why the branch may not come into the environment: where another has to have verified the tree, only its own may. */
export function refusedBranch(config: Environment, { kind, branch, request }: Wanted): string | null {
  const isFree = kind !== 'deploy' || request.override || config.requires === undefined;
  return isFree || config.branch === branch
    ? null
    : `${config.name} deploys only its own branch ${config.branch}, not ${branch}`;
}
