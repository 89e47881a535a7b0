import type { Report } from '../forge/types.ts';
import type { Tell } from './journal-entries.ts';
import type { Suite } from './model.ts';
import type { DeploymentRecord, RanSuite } from './record.ts';
import { comment, findings } from './reports/comment.ts';
import { deploymentReports } from './reports/deployments.ts';
import { rehearsalReports } from './reports/rehearsal.ts';
import { releaseNote } from './reports/release-note.ts';
import { pageOf, STATES, statusOf, timeOf } from './reports/status.ts';
import { describe, summaryOf } from './reports/words.ts';

/**
 * What the forge is told of a deployment as it stands now (contract section 7): that it was asked for, has begun, or
 * has ended.
 * @param url where its page is
 */
export function reportsOf(url: string): Tell {
  return (deployment, suites, replaced) => {
    if (deployment.kind === 'rehearsal') return rehearsalReports(deployment, suites, url);
    return [
      // Statuses first: a forge takes changes one by one, and what may be merged depends on these.
      ...(deployment.kind === 'deploy' ? deployReports(deployment, suites, url) : []),
      ...(deployment.kind === 'rollback' ? rollbackReports(deployment, url) : []),
      ...deploymentReports(deployment, suites, { replaced, url }),
    ];
  };
}

function deployReports(deployment: DeploymentRecord, suites: RanSuite[], url: string): Report[] {
  const { environment, outcome, phase, liveAt } = deployment;
  const context = `deploy/${environment}`;
  if (phase === 'waiting') {
    const description = `waiting to be deployed to ${environment}`;
    return [statusOf(deployment, url, { context, state: 'pending', description })];
  }
  // What was verified is told as soon as it is live: a forge takes changes one by one, while it settles.
  if (phase === 'live') return suiteReports(deployment, suites, url);
  if (outcome === null) return [];
  return [
    ...(liveAt === null ? suiteReports(deployment, suites, url) : []),
    ...tagReports(deployment, suites),
    ...revertReports(deployment, suites, url),
    statusOf(deployment, url, { context, state: STATES[outcome], description: describe(deployment, suites) }),
    ...commentReports(deployment, suites, url),
  ];
}

function suiteReports(deployment: DeploymentRecord, suites: RanSuite[], url: string): Report[] {
  return suites.map((suite) =>
    statusOf(deployment, url, {
      context: `verify/${deployment.environment}/${suite.name}`,
      state: suite.success ? 'success' : 'failure',
      description: summaryOf(suite),
      at: suite.at,
    }),
  );
}

/** The pull request that brought a commit is told when it failed: its author looks there. */
function commentReports(deployment: DeploymentRecord, suites: Suite[], url: string): Report[] {
  const { commit, environment, outcome } = deployment;
  if (outcome !== 'rejected' && outcome !== 'rolled_back' && outcome !== 'needs_attention') return [];
  const headline = `Deployment to ${environment}: ${outcome.replaceAll('_', ' ')}`;
  const description = describe(deployment, suites);
  return [comment(deployment, suites, { url, on: { commit }, headline, description })];
}

function tagReports(deployment: DeploymentRecord, suites: Suite[]): Report[] {
  const { tag, commit, outcome } = deployment;
  if (!tag || outcome !== 'deployed') return [];
  return [{ type: 'tag', commit, name: tag, message: releaseNote(deployment, suites) }];
}

function revertReports(deployment: DeploymentRecord, suites: Suite[], url: string): Report[] {
  const { commit, branch, environment, id, config, outcome, cause } = deployment;
  const how = config?.revert ?? 'off';
  if (outcome !== 'rolled_back' || how === 'off') return [];
  const message = [
    `Revert ${commit.slice(0, 8)}, rolled back from ${environment}`,
    '',
    cause ?? '',
    '',
    pageOf(url, deployment),
  ].join('\n');
  const text = findings(deployment, suites, { url, description: describe(deployment, suites) });
  const targetUrl = pageOf(url, deployment);
  const at = timeOf(deployment);
  return [{ type: 'revert', commit, branch, environment, how, message, text, deployment: id, targetUrl, at }];
}

/** A rollback by hand: the commit that it took back failed, whatever was said of it before. */
function rollbackReports(deployment: DeploymentRecord, url: string): Report[] {
  const { request, environment, outcome, requestedBy } = deployment;
  if (outcome !== 'ok' || !request.from) return [];
  const from: DeploymentRecord = {
    ...deployment,
    kind: 'deploy',
    commit: request.from,
    tag: null,
    outcome: 'rolled_back',
    cause: `by ${requestedBy}${request.reason ? `: ${request.reason}` : ''}`,
  };
  return [
    ...revertReports(from, [], url),
    statusOf(from, url, {
      context: `deploy/${environment}`,
      state: 'failure',
      description: describe(from, []),
    }),
    ...commentReports(from, [], url),
  ];
}
