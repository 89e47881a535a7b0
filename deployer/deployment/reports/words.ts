import type { Check, Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { REHEARSAL_SUITE } from '../rehearsal/suite.ts';

/** The sentences of reports, in one place. */

/** How a deployment ended, with its first cause: the description of its overall status. */
export function describe(deployment: DeploymentRecord, suites: Suite[]): string {
  const { outcome, cause } = deployment;
  if (outcome !== 'deployed')
    return `${outcome?.replaceAll('_', ' ') ?? 'unknown'}: ${cause ?? 'no cause was recorded'}`;
  return passed(suites) ?? `deployed${cause ? `: ${cause}` : ''}`;
}

function passed(suites: Suite[]): string | null {
  const checks = suites.reduce((sum, suite) => sum + suite.checks.length, 0);
  return checks > 0 ? `deployed: ${checks} checks in ${suites.length} suites passed` : null;
}

export function summaryOf(suite: Suite): string {
  const failed = suite.checks.find((check) => !check.success);
  if (failed) return sentenceOf(failed);
  // What the rehearsal foretells matters more than how many checks it made.
  if (suite.name === REHEARSAL_SUITE)
    return suite.checks.map(({ name, actual }) => `${name} ${actual}`).join('; ');
  return `${suite.checks.length} checks passed in ${suite.durationMs} ms`;
}

/** `GET /doc/all/ gave 500, expected 200` */
function sentenceOf(check: Check): string {
  return `${check.name} ${check.actual}, expected ${check.expected}`;
}

/** The first failed check of a verification as one line: `routes: GET /doc/all/ gave 500, expected 200`; null when all passed. */
export function firstFailure(suites: Suite[]): string | null {
  const suite = suites.find((candidate) => !candidate.success);
  if (!suite) return null;
  const failed = suite.checks.find((check) => !check.success);
  return `${suite.name}: ${failed ? sentenceOf(failed) : 'failed without saying which check'}`;
}
