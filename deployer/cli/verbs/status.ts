import type { EnvironmentStatus } from '../../deployment/model.ts';
import { ago, shortCommit } from '../../web/format.ts';
import type { Paint } from '../text/paint.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import type { Verb } from '../verb.ts';
import { environmentPath } from './options.ts';

export const status: Verb = {
  name: 'status',
  arguments: ['[ENV]'],
  summary: 'what is live, what is running, the last outcome',
  options: {},
  async run({ args, client, io, paint }) {
    const known = await client().get('/api/problems', (answers) => answers.problems);
    for (const problem of known.problems) io.stderr.write(`problem: ${printable(problem)}\n`);
    if (args.optional('ENV') === undefined) {
      const all = await client().get('/api/environments', (answers) => answers.environments);
      return { outcome: 'ok', details: all, text: statusText(all.environments, paint) };
    }
    const one = await client().get(environmentPath(args), (answers) => answers.environment);
    return { outcome: 'ok', details: one, text: statusText([one], paint) };
  },
};

function statusText(list: EnvironmentStatus[], paint: Paint): string {
  if (list.length === 0) return 'no environment yet: see environments/NAME.yaml';
  const head = ['environment', 'live', 'commit', 'since', 'running', 'last'].map((name) => paint.quiet(name));
  const rows = list.map((each) => row(each, paint));
  return [table(head, rows), ...list.flatMap((each) => notes(each, paint))].join('\n');
}

function row({ name, live, running, waiting, last }: EnvironmentStatus, paint: Paint): string[] {
  const stage = running?.stages.find(({ state }) => state === 'running');
  const busy = running ? `${shortCommit(running.commit)} ${stage?.name ?? ''}`.trimEnd() : null;
  const queued = waiting ? `${shortCommit(waiting.commit)} waits` : null;
  return [
    paint.strong(name),
    live ? (live.tag ?? live.branch) : paint.quiet('nothing'),
    live ? shortCommit(live.commit) : '',
    live ? ago(live.liveAt ?? live.requestedAt) : '',
    paint.busy([busy, queued].filter((part) => part !== null).join(', ')) || '–',
    last ? paint.outcome(last.outcome) : '–',
  ];
}

/** What a person should know about an environment, a line each. */
function notes({ name, last, lock, quarantined }: EnvironmentStatus, paint: Paint): string[] {
  const locked = lock && `${paint.warn('locked')} by ${lock.holder} since ${lock.since}: ${lock.reason}`;
  const isGood = last?.outcome === 'deployed' || last?.outcome === 'ok';
  const failed = last?.cause && !isGood && `${paint.outcome(last.outcome)} ${last.id}: ${last.cause}`;
  const kept = quarantined.length > 0 && `quarantined ${quarantined.map(shortCommit).join(', ')}`;
  return [locked, failed, kept].flatMap((note) => (note ? [`${name}  ${note}`] : []));
}
