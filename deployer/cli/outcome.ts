import type { Outcome } from '../deployment/model.ts';

/** Contract section 6. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  deployed: 0,
  ok: 0,
  rejected: 1,
  rolled_back: 1,
  failed: 1,
  refused: 3,
  superseded: 4,
  needs_attention: 5,
};

export const WRONG_USAGE = 2;

/** What a verb came to. */
export interface Result {
  outcome: Outcome;
  /** The `details` of contract section 6. */
  details: unknown;
  /** The same for people; empty when everything is said. */
  text: string;
  /** Where it is not the outcome's. */
  exitCode?: number;
}

/** The one object of `--json`. */
export function toJson({ outcome, details }: Result): string {
  return `${JSON.stringify({ success: EXIT_CODES[outcome] === 0, outcome, details })}\n`;
}
