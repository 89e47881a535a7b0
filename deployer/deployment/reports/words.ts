import { oneLine } from '../../problem.ts';
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
  if (failed) return `${sentenceOf(failed)}${placeOf(failed)}`;
  // What the rehearsal foretells matters more than how many checks it made.
  if (suite.name === REHEARSAL_SUITE)
    return suite.checks.map(({ name, actual }) => `${name} ${actual}`).join('; ');
  return `${suite.checks.length} checks passed in ${suite.durationMs} ms`;
}

/** What a status leaves to a check, after the outcome and the suite. */
const MOST_OF_A_SENTENCE = 118;
const LEAST_OF_A_NAME = 40;

/** `GET /doc/all/ gave 500, expected 200`: a long name gives way, so that what it is about is read too. */
function sentenceOf({ name, actual, expected }: Check): string {
  const verdict = `${actual}, expected ${expected}`;
  const most = Math.max(LEAST_OF_A_NAME, MOST_OF_A_SENTENCE - 1 - verdict.length);
  return `${oneLine(name, most)} ${verdict}`;
}

/** ` (app/list.ts:23)`: where to look, unless it is said already or would be cut off. */
function placeOf(check: Check): string {
  const place = oneLine(check.location ?? '');
  const sentence = sentenceOf(check);
  const isSaid = place === '' || sentence.includes(place);
  return isSaid || sentence.length + place.length + 3 > MOST_OF_A_SENTENCE ? '' : ` (${place})`;
}

/**
 * The first failed check of a verification as one line: `routes: GET /doc/all/ gave 500, expected 200 (app/list.ts:9)`;
 * null when all passed.
 * @param logged what the instance has logged of it, which says better where to look
 */
export function firstFailure(suites: Suite[], logged: string | null = null): string | null {
  const suite = suites.find((candidate) => !candidate.success);
  if (!suite) return null;
  const failed = suite.checks.find((check) => !check.success);
  if (!failed) return `${suite.name}: failed without saying which check`;
  return `${suite.name}: ${sentenceOf(failed)}${logged === null ? placeOf(failed) : `: ${logged}`}`;
}
