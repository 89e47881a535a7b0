import type { Outcome } from './model.ts';

/** Ends a deployment with its outcome; the message is the cause. */
export class DeploymentEnded extends Error {
  override name = 'DeploymentEnded';
  readonly outcome: Outcome;
  constructor(outcome: Outcome, cause: string | null) {
    super(cause ?? '');
    this.outcome = outcome;
  }
}
