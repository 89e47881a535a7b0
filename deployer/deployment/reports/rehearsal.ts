import type { Report } from '../../forge/types.ts';
import type { Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { saysGateIsClosed } from '../rehearsal/promotion.ts';
import { HOLD } from '../rehearsal/suite.ts';
import { comment } from './comment.ts';
import { STATES, statusOf } from './status.ts';
import { describe } from './words.ts';

/** What the forge is told of the rehearsal of a pull request; of one that a person asked for, nothing. */
export function rehearsalReports(rehearsal: DeploymentRecord, suites: Suite[], url: string): Report[] {
  const { environment, outcome, request, phase } = rehearsal;
  if (!request.pull) return [];
  const context = `rehearse/${environment}`;
  if (phase === 'waiting') {
    const description = `waiting to be rehearsed on a copy of ${environment}'s data`;
    return [statusOf(rehearsal, url, { context, state: 'pending', description })];
  }
  if (outcome === null) return [];
  const description = forecast(rehearsal, suites) ?? describe(rehearsal, suites);
  const status = statusOf(rehearsal, url, { context, state: STATES[outcome], description });
  // Of one that another takes the place of there is nothing to say that the next one does not say better.
  if (outcome === 'superseded') return [status];
  const title = outcome === 'ok' ? 'passes' : 'does not pass';
  const on = { pull: request.pull.number };
  return [
    status,
    comment(rehearsal, suites, {
      url,
      on,
      headline: `The rehearsal for ${environment} ${title}`,
      description,
    }),
  ];
}

/** `passes on a copy of prod's data: the hold on writes would take 0.4 s; 34 checks passed` */
function forecast({ environment, outcome, cause, ran }: DeploymentRecord, suites: Suite[]): string | null {
  if (outcome !== 'ok') return null;
  if (cause !== null) return `passes: ${cause}`;
  const checks = suites.flatMap((suite) => suite.checks);
  const hold = checks.find(({ name }) => name === HOLD);
  const held = hold
    ? `${hold.name} ${hold.actual}`
    : ran.length > 0
      ? 'nothing is live yet'
      : 'no write is held';
  const gate = saysGateIsClosed(suites) ? '; the promotion gate is closed: see the page' : '';
  return `passes on a copy of ${environment}'s data: ${held}; ${checks.length} checks passed${gate}`;
}
