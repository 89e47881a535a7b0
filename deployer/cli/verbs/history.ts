import type { DeploymentSummary } from '../../deployment/model.ts';
import type { AuditTrail } from '../../operations.ts';
import { shortCommit } from '../../web/format.ts';
import type { Paint } from '../text/paint.ts';
import { table } from '../text/table.ts';
import type { Verb } from '../verb.ts';
import { environmentPath } from './options.ts';

export const history: Verb = {
  name: 'history',
  arguments: ['ENV'],
  summary: 'past deployments, newest first',
  options: {
    limit: { value: 'N', help: 'at most so many (1 to 200; 50)' },
    outcome: { value: 'O', help: 'only of this outcome' },
    commit: { value: 'C', help: 'only of this commit' },
    audit: { help: 'with the trail of who changed what: locks, overrides, backups too' },
    'audit-cursor': { value: 'X', help: 'goes on in the trail where an earlier answer ended' },
    cursor: { value: 'X', help: "goes on at an earlier answer's next" },
  },
  async run({ args, client, paint }) {
    const query = new URLSearchParams({ environment: args.argument('ENV') });
    for (const name of ['limit', 'outcome', 'commit', 'cursor']) {
      const value = args.text(name);
      if (value !== undefined) query.set(name, value);
    }
    // Nothing would be listed of an environment that is not there: ask for it, so that a slip of the hand is told.
    await client().get(environmentPath(args), (answers) => answers.environment);
    const page = await client().get(
      `/api/deployments?${query.toString()}`,
      (answers) => answers.deploymentPage,
    );
    const text = historyText(page.deployments, page.next, paint);
    const from = args.text('audit-cursor');
    if (!args.flag('audit') && from === undefined) return { outcome: 'ok', details: page, text };
    const rest = from === undefined ? '' : `?${new URLSearchParams({ cursor: from }).toString()}`;
    const trail = await client().get(`${environmentPath(args)}/audit${rest}`, (answers) => answers.audit);
    return {
      outcome: 'ok',
      details: { ...page, audit: trail.entries, auditNext: trail.next },
      text: `${text}\n\n${trailText(trail, paint)}`,
    };
  },
};

function trailText({ entries, next }: AuditTrail, paint: Paint): string {
  const head = ['when', 'who', 'what', 'deployment', 'detail'].map((name) => paint.quiet(name));
  const rows = entries.map(({ at, actor, action, deployment, detail }) => [
    at.slice(0, 19).replace('T', ' '),
    actor,
    action,
    deployment ?? '',
    detail,
  ]);
  return table(head, rows) + (next === null ? '' : `\n${paint.quiet(`more with --audit-cursor ${next}`)}`);
}

function historyText(deployments: DeploymentSummary[], next: string | null, paint: Paint): string {
  if (deployments.length === 0) return 'no deployment yet';
  const head = ['deployment', 'outcome', 'kind', 'commit', 'asked', 'by', 'cause'].map((name) =>
    paint.quiet(name),
  );
  const rows = deployments.map((each) => [
    each.id,
    paint.outcome(each.outcome),
    each.kind,
    each.tag ?? shortCommit(each.commit),
    each.requestedAt.slice(0, 16).replace('T', ' '),
    each.requestedBy,
    each.cause ?? '',
  ]);
  return table(head, rows) + (next === null ? '' : `\n${paint.quiet(`more with --cursor ${next}`)}`);
}
