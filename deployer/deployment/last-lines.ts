import { oneLine } from '../problem.ts';
import { withinRelease } from './last-words.ts';
import { redact } from './reports/redact.ts';

const MOST_LINES = 30;
const LIMIT = 300;

/**
 * The last lines of what an instance wrote, as a report shows them: without control characters, and without what looks
 * like a secret.
 * @param release its directory, which is not named
 */
export function lastLines(output: string, release: string): string[] {
  return redact(withinRelease(output, release))
    .split('\n')
    .map((line) => oneLine(line, LIMIT))
    .filter(Boolean)
    .slice(-MOST_LINES);
}
