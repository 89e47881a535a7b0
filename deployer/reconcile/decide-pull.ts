import type { DeploymentRecord } from '../deployment/record.ts';

/** A pull request as it would be merged now. */
export interface Merge {
  commit: string;
  /** null: it conflicts. */
  tree: string | null;
}

/**
 * Whether a pull request is to be rehearsed (again): its head or what would come of merging it is another than was rehearsed.
 * @param last its newest rehearsal in the environment
 * @param gateOpened the promotion gate was closed then and is open now
 */
export function decidePull(
  now: Merge,
  last: Pick<DeploymentRecord, 'commit' | 'tree' | 'outcome'> | null,
  gateOpened: boolean,
): 'rehearse' | 'nothing' {
  if (!last || last.commit !== now.commit || last.tree !== now.tree) return 'rehearse';
  // It was closed and is open again.
  if (last.outcome === 'superseded') return 'rehearse';
  return last.outcome === 'ok' && gateOpened ? 'rehearse' : 'nothing';
}
