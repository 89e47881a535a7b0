import { oneLine } from '../problem.ts';
import type { Report, StatusState } from '../forge/types.ts';
import type { Check, Outcome, Suite } from './model.ts';
import type { DeploymentRecord } from './record.ts';

const DESCRIPTION_LIMIT = 140;

const STATES: Record<Outcome, StatusState> = {
  deployed: 'success',
  ok: 'success',
  rejected: 'failure',
  rolled_back: 'failure',
  failed: 'failure',
  refused: 'error',
  superseded: 'error',
  needs_attention: 'error',
};

/** What the forge is told of a deployment as it stands now (contract section 7). */
export function reportsOf(url: string): (deployment: DeploymentRecord, suites: Suite[]) => Report[] {
  return (deployment, suites) => {
    if (deployment.kind !== 'deploy')
      return deployment.kind === 'rollback' ? rollbackReports(deployment, url) : [];
    const { commit, environment, id } = deployment;
    const at = deployment.finishedAt ?? deployment.requestedAt;
    const status = (context: string, state: StatusState, description: string): Report => ({
      type: 'status',
      commit,
      context,
      state,
      at,
      description: oneLine(description, DESCRIPTION_LIMIT),
      targetUrl: `${url}/deployments/${id}`,
    });
    const overall = `deploy/${environment}`;
    if (!deployment.outcome) return [status(overall, 'pending', `waiting to be deployed to ${environment}`)];
    return [
      ...suites.map((suite) =>
        status(
          `verify/${environment}/${suite.name}`,
          suite.success ? 'success' : 'failure',
          summaryOf(suite),
        ),
      ),
      ...tagReports(deployment, suites),
      ...revertReports(deployment, url),
      status(overall, STATES[deployment.outcome], describe(deployment, suites)),
    ];
  };
}

function tagReports(deployment: DeploymentRecord, suites: Suite[]): Report[] {
  const { tag, commit, id, outcome } = deployment;
  if (!tag || outcome !== 'deployed') return [];
  const lines = suites.map((suite) => `${suite.name}: ${summaryOf(suite)}`);
  return [
    {
      type: 'tag',
      commit,
      name: tag,
      message: [`Deployment ${id} to ${deployment.environment}`, '', ...lines].join('\n'),
    },
  ];
}

function revertReports(deployment: DeploymentRecord, url: string): Report[] {
  const { commit, branch, environment, id, config, outcome, cause } = deployment;
  const how = config?.revert ?? 'off';
  if (outcome !== 'rolled_back' || how === 'off') return [];
  const message = [
    `Revert ${commit.slice(0, 8)}, rolled back from ${environment}`,
    '',
    cause ?? '',
    '',
    `${url}/deployments/${id}`,
  ].join('\n');
  return [{ type: 'revert', commit, branch, environment, how, message, deployment: id }];
}

/** A rollback by hand: the commit that it took back failed, whatever was said of it before. */
function rollbackReports(deployment: DeploymentRecord, url: string): Report[] {
  const { request, environment, id, outcome, requestedBy } = deployment;
  if (outcome !== 'ok' || !request.from) return [];
  const from: DeploymentRecord = {
    ...deployment,
    kind: 'deploy',
    commit: request.from,
    tag: null,
    outcome: 'rolled_back',
    cause: `rolled back by ${requestedBy}${request.reason ? `: ${request.reason}` : ''}`,
  };
  return [
    ...revertReports(from, url),
    {
      type: 'status',
      commit: request.from,
      context: `deploy/${environment}`,
      state: 'failure',
      description: oneLine(describe(from, []), DESCRIPTION_LIMIT),
      targetUrl: `${url}/deployments/${id}`,
      at: deployment.finishedAt ?? deployment.requestedAt,
    },
  ];
}

function describe(deployment: DeploymentRecord, suites: Suite[]): string {
  const { outcome, cause } = deployment;
  if (outcome !== 'deployed')
    return `${outcome?.replaceAll('_', ' ') ?? 'unknown'}: ${cause ?? 'no cause was recorded'}`;
  const checks = suites.reduce((sum, suite) => sum + suite.checks.length, 0);
  return checks > 0
    ? `deployed: ${checks} checks in ${suites.length} suites passed`
    : `deployed${cause ? `: ${cause}` : ''}`;
}

function summaryOf(suite: Suite): string {
  const failed = suite.checks.find((check) => !check.success);
  if (failed) return sentenceOf(failed);
  // What the rehearsal foretells matters more than how many checks it made.
  if (suite.name === 'rehearsal')
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
