import { parse } from 'shell-quote';
import { UsageError } from '../problem.ts';

const BALANCED = /^(?:[^"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')*$/;
const QUOTED = /\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*'/g;
const SINGLE_QUOTED = /\\[\s\S]|'[^']*'/g;

/**
 * The words of a command as a shell would split them; quotes and backslashes work.
 * No shell will run, so whatever only a shell could do throws a `UsageError` that says what to do instead.
 */
export function splitCommand(text: string): string[] {
  if (!BALANCED.test(text)) throw new UsageError(`the command ${shown(text)} has a quote that is not closed`);
  refuseBareSyntax(text, text.replace(QUOTED, 'q'));
  const words = parse(text, (name) => ({ op: `$${name}` })).map((token) => {
    if (typeof token === 'string') return token;
    throw shellOnly(text, operatorOf(token));
  });
  if (!words[0]) throw new UsageError(`the command ${shown(text)} names no program`);
  return words;
}

/** What shell-quote lets pass as plain words. */
function refuseBareSyntax(text: string, bare: string): void {
  if (text.replace(SINGLE_QUOTED, '').includes('`')) throw shellOnly(text, '`');
  if (/[\r\n]/.test(bare.trim())) throw shellOnly(text, 'a line break');
  if (/(^|\s)~/.test(bare)) throw shellOnly(text, '~');
  const assignment = /^\s*[A-Za-z_]\w*=/.exec(bare);
  if (assignment) throw shellOnly(text, assignment[0].trim());
}

function operatorOf(token: object): string {
  if ('pattern' in token) return String(token.pattern);
  if ('op' in token) return String(token.op);
  return '#';
}

function shellOnly(text: string, operator: string): UsageError {
  return new UsageError(
    `the command ${shown(text)} uses ${operator}, but no shell runs it: quote it if it is meant literally, or put the command into a script of the release and name that`,
  );
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
}
