import { oneLine } from '../../problem.ts';
import type { Check } from '../model.ts';
import { MOST_BYTES, type Seen } from './look.ts';
import { GONE_GRAMMAR, GRAMMAR, type Expectation } from './trailer.ts';
import type { Wanted } from './wanted.ts';

/** Pure: whether what was seen is what was expected, in the words of a check. */

/** @param seen a sentence when there was no answer */
export function judgeSeen(wanted: Wanted & { expectation: Expectation }, seen: Seen | string): Check {
  const { expectation, line, commit } = wanted;
  const actual = typeof seen === 'string' ? seen : describe(expectation, seen);
  const success = typeof seen !== 'string' && meets(expectation, seen);
  const why = success || typeof seen === 'string' ? null : hintFor(expectation, seen);
  return {
    name: line,
    success,
    expected: expectedOf(expectation),
    actual,
    hint: success ? null : [`commit ${commit.slice(0, 8)} expects this`, why].filter(Boolean).join('; '),
    location: null,
  };
}

/** A trailer that cannot be understood has failed. */
export function malformed({
  line,
  commit,
  problem,
}: {
  line: string;
  commit: string;
  problem: string;
}): Check {
  return {
    name: line,
    success: false,
    expected: line.toLowerCase().startsWith('expect-gone') ? GONE_GRAMMAR : GRAMMAR,
    actual: 'is not understood',
    hint: `${problem}; commit ${commit.slice(0, 8)} has it in its message: amend it, or revert the commit and commit again; see docs/expectations.md`,
    location: null,
  };
}

export function tooMany(count: number, most: number): Check {
  return {
    name: 'the number of expectations',
    success: false,
    expected: `at most ${most}`,
    actual: `is ${count}, the newest ${most} were looked at`,
    hint: 'deploy in smaller steps',
    location: null,
  };
}

function meets(expectation: Expectation, seen: Seen): boolean {
  const { status, text, gone } = expectation;
  if (!status.includes(seen.status)) return false;
  if (text === null) return true;
  const there = seen.body.includes(text);
  return gone ? !there && seen.whole : there;
}

function expectedOf({ status, text, gone }: Expectation): string {
  const number = status.join(' or ');
  return text === null ? number : `${number} ${gone ? 'without' : 'with'} it`;
}

/** `gave 200 without it` */
function describe({ status, text }: Expectation, seen: Seen): string {
  const to = seen.location === null ? '' : ` to ${oneLine(seen.location, 80)}`;
  if (text === null || !status.includes(seen.status)) return `gave ${seen.status}${to}`;
  if (seen.body.includes(text)) return `gave ${seen.status} with it`;
  return `gave ${seen.status} without it${seen.whole ? '' : ` in its first ${MOST_BYTES / 1024 ** 2} MB`}`;
}

/** Bodies are compared as they are sent: HTML escapes some characters. */
function hintFor({ text, gone }: Expectation, { body }: Seen): string | null {
  if (text === null || gone) return null;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const found = [escaped, escaped.replaceAll('"', '&quot;')].find(
    (form) => form !== text && body.includes(form),
  );
  return found === undefined ? null : `the page has it as ${JSON.stringify(found)}`;
}
