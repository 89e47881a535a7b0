import { COMMAND } from '../../command.ts';
import type { Deployment, Stage } from '../../deployment/model.ts';
import { duration, subject } from '../../web/format.ts';
import type { Paint } from './paint.ts';
import { suiteText } from './suites.ts';
import { align } from './table.ts';

/** How a deployment ended, outcome first, and what to do next: a few lines. */
export function resultText(deployment: Deployment, url: string, paint: Paint): string {
  return [
    headline(deployment, paint),
    ...facts([
      ['cause', deployment.cause],
      ['tag', deployment.tag],
      ['page', `${url}/deployments/${deployment.id}`],
      ['next', next(deployment)],
    ]),
  ].join('\n');
}

/** Everything of one deployment. */
export function wholeText(deployment: Deployment, url: string, paint: Paint): string {
  const { branch, tree, tag, requestedBy, requestedAt, liveAt, finishedAt, cause, stages, suites } =
    deployment;
  const known = facts([
    ['cause', cause],
    ['branch', branch],
    ['commit', deployment.commit],
    ['tree', tree],
    ['tag', tag],
    ['by', requestedBy],
    ['asked', requestedAt],
    ['live', liveAt],
    ['finished', finishedAt],
    ['page', `${url}/deployments/${deployment.id}`],
  ]);
  const { logTail = [], reproduce = [] } = deployment;
  const verified = suites.length === 0 ? [] : ['', paint.strong('verification'), suiteText(suites, paint)];
  return [
    headline(deployment, paint),
    ...known,
    '',
    paint.strong('stages'),
    ...stageLines(stages, paint),
    ...verified,
    ...section('the last lines of the instance', logTail, paint),
    ...section('reproduce it in a clone', reproduce, paint),
  ].join('\n');
}

const section = (title: string, lines: readonly string[], paint: Paint): string[] =>
  lines.length === 0 ? [] : ['', paint.strong(title), ...lines.map((line) => `  ${line}`)];

function headline(deployment: Deployment, paint: Paint): string {
  const { outcome, requestedAt, finishedAt } = deployment;
  const took = finishedAt === null ? '' : ` in ${duration(Date.parse(finishedAt) - Date.parse(requestedAt))}`;
  return `${paint.strong(paint.outcome(outcome))}  ${subject(deployment)}${took}`;
}

export function stageLine({ name, state, durationMs, cause }: Stage, paint: Paint): string[] {
  const tone = {
    waiting: paint.quiet,
    running: paint.busy,
    done: paint.good,
    failed: paint.bad,
    skipped: paint.quiet,
  };
  const took = durationMs === null ? '' : duration(durationMs);
  return [`  ${name.padEnd(9)}`, tone[state](state), took.padStart(9), cause ?? ''];
}

function stageLines(stages: Stage[], paint: Paint): string[] {
  return align(stages.map((stage) => stageLine(stage, paint)));
}

function facts(list: [string, string | null][]): string[] {
  return list.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(8)}  ${value}`]));
}

function next({ id, kind, environment, outcome }: Deployment): string | null {
  switch (outcome) {
    case null:
      return `${COMMAND} logs ${id} --follow`;
    case 'deployed':
    case 'ok':
      return kind === 'deploy' ? `${COMMAND} rollback ${environment} takes it back` : null;
    case 'refused':
    case 'superseded':
      return `${COMMAND} status ${environment}`;
    default:
      return `${COMMAND} show ${id}; ${COMMAND} logs ${id}`;
  }
}
