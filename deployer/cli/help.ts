import { COMMAND } from '../command.ts';
import { UsageError } from '../problem.ts';
import { COMMON, usage } from './args.ts';
import { nearest } from './nearest.ts';
import { align } from './text/table.ts';
import type { OptionSpec, Verb } from './verb.ts';

export function isCalled({ name }: Verb, words: readonly string[]): boolean {
  return name.split(' ').every((word, index) => words[index] === word);
}

/** The verb that these words begin with. @throws UsageError with the nearest one */
export function findVerb(words: readonly string[], verbs: readonly Verb[]): Verb {
  const found = verbs.find((verb) => isCalled(verb, words));
  if (found) return found;
  const [first = '', second] = words;
  const subverbs = verbs.flatMap(({ name }) =>
    name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
  );
  if (subverbs.length > 0) throw unknown(`${first} `, second ?? '', subverbs);
  throw unknown('', first, [...new Set(verbs.map(({ name }) => name.split(' ')[0] ?? ''))]);
}

function unknown(prefix: string, word: string, known: string[]): UsageError {
  const best = nearest(word, known);
  const hint = best === null ? `expected one of ${known.join(', ')}` : `did you mean ${prefix}${best}?`;
  const what = word === '' ? `${prefix}needs a verb` : `there is no verb ${prefix}${word}`;
  return new UsageError(`${what}; ${hint}`);
}

export function generalHelp(verbs: readonly Verb[]): string {
  const rows = verbs.map((verb) => [`  ${[verb.name, ...verb.arguments].join(' ')}`, verb.summary]);
  return [
    `${COMMAND} VERB [ENV] [options] [--json]`,
    '',
    ...align(rows),
    '',
    `${COMMAND} help VERB tells its options.`,
    'exit: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 superseded, 5 a person is needed',
  ].join('\n');
}

export function verbHelp(verb: Verb): string {
  return [usage(verb), `  ${verb.summary}`, '', ...optionLines({ ...verb.options, ...COMMON })].join('\n');
}

function optionLines(options: Record<string, OptionSpec>): string[] {
  return align(
    Object.entries(options).map(([name, { value, help }]) => [
      `  --${name}${value ? ` ${value}` : ''}`,
      help,
    ]),
  );
}
