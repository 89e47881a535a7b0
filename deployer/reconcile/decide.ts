import type { Gate } from '../deployment/work.ts';

/** What is known of one environment at a look. */
export interface Situation {
  head: string;
  /** The last head for which a deployment was stored. */
  handled: string | null;
  quarantined: boolean;
  /** How the newest deployment of this head ended; null when there is none or it has not ended. */
  outcome: string | null;
  /** The verdict of the promotion gate on the head's tree; open without one. */
  gate: Gate['state'];
  /** What this host says wrongly refuses every deployment of the environment: to ask again would go on without end. */
  obstructed: boolean;
}

/**
 * Wanted against actual: `deploy` stores a deployment of the head, `wait` looks again later, `nothing` is as it should be.
 * Level-triggered: what a look decides does not depend on which webhooks arrived.
 */
export function decide({
  head,
  handled,
  quarantined,
  outcome,
  gate,
  obstructed,
}: Situation): 'deploy' | 'wait' | 'nothing' {
  const opened = head === handled && outcome === 'refused' && gate === 'open' && !obstructed;
  if (head === handled && !opened) return 'nothing';
  if (quarantined) return 'nothing';
  return gate === 'pending' ? 'wait' : 'deploy';
}
