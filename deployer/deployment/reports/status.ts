import type { Report, StatusState } from '../../forge/types.ts';
import { oneLine } from '../../problem.ts';
import type { Outcome } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';

/** What GitHub takes. */
const DESCRIPTION_LIMIT = 140;

export const STATES: Record<Outcome, StatusState> = {
  deployed: 'success',
  ok: 'success',
  rejected: 'failure',
  rolled_back: 'failure',
  failed: 'failure',
  refused: 'error',
  superseded: 'error',
  needs_attention: 'error',
};

export const pageOf = (url: string, { id }: Pick<DeploymentRecord, 'id'>) => `${url}/deployments/${id}`;

/** When what is told now was so. */
export const timeOf = ({ finishedAt, requestedAt }: DeploymentRecord) => finishedAt ?? requestedAt;

/**
 * The sentence of a status. GitHub refuses one with characters of four bytes in UTF-8, emoji among them
 * (422 "description doesn't accept 4-byte Unicode"): the status would stay what it was before.
 */
export const descriptionOf = (text: string) =>
  oneLine(text.replaceAll(/[\u{10000}-\u{10ffff}]|\p{Surrogate}/gu, '\ufffd'), DESCRIPTION_LIMIT);

/** A commit status of a deployment's commit, with a link to its page. */
export function statusOf(
  deployment: DeploymentRecord,
  url: string,
  told: { context: string; state: StatusState; description: string; at?: string | undefined },
): Report {
  const { context, state, description, at = timeOf(deployment) } = told;
  return {
    type: 'status',
    commit: deployment.commit,
    context,
    state,
    description: descriptionOf(description),
    targetUrl: pageOf(url, deployment),
    at,
  };
}
