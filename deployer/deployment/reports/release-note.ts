import { oneLine } from '../../problem.ts';
import type { LoggedCommit } from '../../release/types.ts';
import type { Suite } from '../model.ts';
import type { DeploymentRecord, MergedPull } from '../record.ts';
import { summaryOf } from './words.ts';

/** A note is for reading: what is older is in the history. */
const MOST_PULLS = 100;

/**
 * The pull requests that these commits brought, in the order of the commits: by the subjects that GitHub writes when it
 * merges (`Merge pull request #12 from …`, then the title) and squashes (`Title (#12)`).
 */
export function pullsOf(commits: readonly Pick<LoggedCommit, 'message'>[]): MergedPull[] {
  const found = new Map<number, MergedPull>();
  for (const { message } of commits) {
    const [subject = '', ...body] = message.split('\n');
    const merged = /^Merge pull request #(\d{1,9}) from /.exec(subject)?.[1];
    const squashed = /^(.*\S) \(#(\d{1,9})\)\s*$/.exec(subject);
    const number = Number(merged ?? squashed?.[2] ?? 0);
    const title =
      merged === undefined ? (squashed?.[1] ?? '') : (body.find((line) => line.trim() !== '') ?? '');
    if (number > 0 && !found.has(number)) found.set(number, { number, title: clean(title) });
  }
  return [...found.values()];
}

/** Strangers wrote it: one line, and nothing that turns the direction of what follows. */
function clean(title: string): string {
  return oneLine(title.replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, ''), 120);
}

/** The message of a tag: what was deployed, what came with it, and that it was verified. */
export function releaseNote(deployment: DeploymentRecord, suites: readonly Suite[]): string {
  const { id, environment, pulls, ran } = deployment;
  return [
    `Deployment ${id} to ${environment}`,
    section('Pull requests', [
      ...pulls.slice(0, MOST_PULLS).map(({ number, title }) => `#${number} ${title}`.trim()),
      ...(pulls.length > MOST_PULLS ? [`and ${pulls.length - MOST_PULLS} more`] : []),
    ]),
    section(
      'Migrations',
      ran.map(({ name, reversible }) => `${name}${reversible ? '' : ' (cannot be taken back)'}`),
    ),
    section(
      'Verification',
      suites.map((suite) => `${suite.name}: ${summaryOf(suite)}`),
    ),
  ].join('\n\n');
}

const section = (title: string, lines: readonly string[]) =>
  [`${title}:`, ...(lines.length > 0 ? lines.map((line) => `- ${line}`) : ['- none'])].join('\n');
