import type { DeploymentState, Report } from '../../forge/types.ts';
import type { Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { descriptionOf, pageOf, STATES, timeOf } from './status.ts';
import { describe } from './words.ts';

/** The forge's own record of a deployment: asked for, begun, and how it ended; then what it replaced is told to be over. */
export function deploymentReports(
  deployment: DeploymentRecord,
  suites: Suite[],
  { replaced, url }: { replaced: DeploymentRecord | null; url: string },
): Report[] {
  const { phase, outcome, environment } = deployment;
  if (phase === 'waiting')
    return [reportOf(deployment, url, 'queued', `waiting to be deployed to ${environment}`)];
  // That it is live now, and how it was verified, is told by statuses.
  if (phase === 'live') return [];
  if (outcome === null)
    return [reportOf(deployment, url, 'in_progress', `is being deployed to ${environment}`)];
  const state = STATES[outcome];
  const ended = reportOf(
    deployment,
    url,
    state === 'pending' ? 'error' : state,
    describe(deployment, suites),
  );
  if (state !== 'success' || !replaced) return [ended];
  const at = timeOf(deployment);
  return [ended, { ...reportOf(replaced, url, 'inactive', `${deployment.id} took its place`), at }];
}

function reportOf(
  deployment: DeploymentRecord,
  url: string,
  state: DeploymentState,
  description: string,
): Extract<Report, { type: 'deployment' }> {
  const { id, commit, environment, config } = deployment;
  return {
    type: 'deployment',
    deployment: id,
    commit,
    environment,
    state,
    description: descriptionOf(description),
    production: config?.requires !== undefined,
    environmentUrl: config?.url ?? null,
    logUrl: pageOf(url, deployment),
    at: timeOf(deployment),
  };
}
