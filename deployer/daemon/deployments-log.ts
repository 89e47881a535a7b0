import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { oneLine } from '../problem.ts';
import type { Deployment } from '../deployment/model.ts';

/**
 * `deployments.log` in the directory that the unit has for logs (`LogsDirectory=`): one line a deployment, once it is over.
 * Nothing without such a directory.
 */
export function deploymentsLog(directory: string | undefined): (deployment: Deployment) => Promise<void> {
  return async (deployment) => {
    if (!directory) return;
    await appendFile(join(directory, 'deployments.log'), `${lineOf(deployment)}\n`, { mode: 0o640 });
  };
}

/** Values that hold no white space, the cause last. */
function lineOf(deployment: Deployment): string {
  const { finishedAt, requestedAt, environment, kind, id, commit, requestedBy, outcome, tag, cause } =
    deployment;
  const seconds = finishedAt ? ((Date.parse(finishedAt) - Date.parse(requestedAt)) / 1000).toFixed(1) : '-';
  const fields = {
    environment,
    kind,
    outcome: outcome ?? '-',
    id,
    commit: commit.slice(0, 12),
    by: requestedBy.replaceAll(/\s/g, '_'),
    seconds,
    tag: tag ?? '-',
  };
  const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [finishedAt ?? requestedAt, ...words, ...(cause ? [`cause=${oneLine(cause)}`] : [])].join(' ');
}
