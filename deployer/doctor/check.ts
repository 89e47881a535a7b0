import type { Check } from '../deployment/model.ts';
import type { Host } from '../install/host.ts';
import type { DeploymentRecord } from '../deployment/record.ts';
import type { Settings } from '../settings.ts';

/** What is examined: this machine, as far as it can be known without a daemon. */
export interface Subject {
  home: string;
  /** null: they cannot be understood; `settingsProblem` says why. */
  settings: Settings | null;
  settingsProblem: string | null;
  /** `deployer install` has been here. */
  isHost: boolean;
  /** What is live, by the deployer's own state; empty before the first start. */
  live: DeploymentRecord[];
  /** Environments in which nothing is live yet. */
  idle: string[];
  /** Why the state cannot be read; null: it can, or there is none yet. */
  stateProblem: string | null;
  host: Host;
  now: Date;
}

/** One thing to examine; returns a check for each thing found, none where it does not apply. */
export type Examine = (subject: Subject) => Promise<Check[]>;

export function good(name: string, actual: string, expected = actual): Check {
  return { name, success: true, expected, actual, hint: null, location: null };
}

/** @param hint the mend: a command, or what to change */
export function bad(
  name: string,
  found: { expected: string; actual: string; hint: string; location?: string },
): Check {
  const { expected, actual, hint, location = null } = found;
  return { name, success: false, expected, actual, hint, location };
}
