import type { Outcome } from './model.ts';

/** Ends a deployment with its outcome; the message is the cause. */
export class DeploymentEnded extends Error {
  override name = 'DeploymentEnded';
  readonly outcome: Outcome;
  /** By no fault of the commit, which is not quarantined: whoever asks for it again may get it. */
  readonly isTransient: boolean;
  constructor(outcome: Outcome, cause: string | null, isTransient = false) {
    super(cause ?? '');
    this.outcome = outcome;
    this.isTransient = isTransient;
  }
}

/** Why the signal of a deployment is aborted when the daemon stops, or a rehearsal gives way: it has not ended. */
export class Stopped extends Error {
  override name = 'Stopped';
}
