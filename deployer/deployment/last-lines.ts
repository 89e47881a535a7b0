import { oneLine } from '../problem.ts';
import { withinRelease } from './last-words.ts';
import { entriesOf } from './log-entries.ts';
import type { Redact } from '../redaction.ts';

const MOST_LINES = 30;
const LIMIT = 300;

/**
 * The last lines of what an instance wrote, as a report shows them: without control characters, and without what is
 * or looks like a secret. Where errors are logged, what a structured log says of all that went well is left out.
 * @param release its directory, which is not named
 */
export function lastLines(output: string, release: string, redact: Redact): string[] {
  const entries = entriesOf(withinRelease(output, release));
  const hasErrors = entries.some(({ kind }) => kind === 'error');
  const told = hasErrors ? entries.filter(({ kind }) => kind !== 'well') : entries;
  const lines = told.flatMap((entry) => entry.lines.map((line) => line.slice(0, 3 * LIMIT)));
  // A secret may begin some lines before those that are shown.
  return redact(lines.slice(-3 * MOST_LINES).join('\n'))
    .split('\n')
    .map((line) => oneLine(line, LIMIT))
    .filter(Boolean)
    .slice(-MOST_LINES);
}
