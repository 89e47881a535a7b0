import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { COMMAND } from '../command.ts';
import { UsageError } from '../problem.ts';
import { nearest } from './nearest.ts';
import type { Args, OptionSpec, Verb } from './verb.ts';

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** The options of every verb. */
export const COMMON: Record<string, OptionSpec> = {
  json: { help: 'one JSON object on stdout, everything else on stderr' },
  help: { help: 'this text', short: 'h' },
};

export interface Glance {
  words: string[];
  wantsJson: boolean;
  wantsHelp: boolean;
  wantsVersion: boolean;
}

/** What can be seen before the verb is known; `verbs` tell which options take a value. */
export function glance(argv: string[], verbs: readonly Verb[]): Glance {
  const every = verbs.flatMap((verb) => Object.entries(verb.options));
  const options = toParseOptions({ ...Object.fromEntries(every), ...COMMON });
  const { values, positionals } = parseArgs({ args: argv, options, strict: false, allowPositionals: true });
  const isSet = (name: string) => values[name] !== undefined;
  return {
    words: positionals,
    // Also where it stands as the forgotten value of another option: a script reads nothing but JSON.
    wantsJson: argv.includes('--json'),
    wantsHelp: isSet('help'),
    wantsVersion: isSet('version'),
  };
}

/** @throws UsageError for an unknown option, with the nearest known one; for a missing or surplus argument */
export function parseVerb(argv: string[], verb: Verb): Args {
  const specs = { ...COMMON, ...verb.options };
  const options = toParseOptions(specs);
  const { tokens } = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'option' && !(token.name in specs)) throw unknownOption(token.rawName, specs, verb);
  }
  const { values, positionals } = parseStrictly(argv, options);
  const given = positionals.slice(verb.name.split(' ').length);
  return toArgs(values, nameArguments(given, verb));
}

function parseStrictly(args: string[], options: ParseArgsConfig['options']) {
  try {
    return parseArgs({ args, options: options ?? {}, strict: true, allowPositionals: true });
  } catch (error) {
    // Node explains at length how to write a value that begins with a dash.
    const [sentence = 'the options are malformed'] =
      error instanceof Error ? error.message.split(/\.\s|\n/) : [];
    throw new UsageError(sentence, { cause: error });
  }
}

function unknownOption(rawName: string, specs: Record<string, OptionSpec>, verb: Verb): UsageError {
  const best = nearest(rawName.replace(/^-+/, ''), Object.keys(specs));
  const hint = best === null ? `see ${COMMAND} help ${verb.name}` : `did you mean --${best}?`;
  return new UsageError(`${verb.name} has no option ${rawName}; ${hint}`);
}

function nameArguments(given: string[], verb: Verb): Map<string, string> {
  const missing = verb.arguments.filter((name) => !name.startsWith('['))[given.length];
  if (missing !== undefined) throw new UsageError(`${verb.name} needs ${missing}`);
  const surplus = given[verb.arguments.length];
  if (surplus !== undefined) throw new UsageError(`${verb.name} does not take "${surplus}"`);
  return new Map(
    given.map((value, index) => [(verb.arguments[index] ?? '').replaceAll(/[[\]]/g, ''), value]),
  );
}

function toArgs(values: Values, named: Map<string, string>): Args {
  const list = (option: string) =>
    [values[option] ?? []].flat().filter((value): value is string => typeof value === 'string');
  return {
    argument: (name) => named.get(name) ?? '',
    optional: (name) => named.get(name),
    text: (option) => list(option)[0],
    list,
    flag: (option) => values[option] === true,
  };
}

function toParseOptions(specs: Record<string, OptionSpec>): NonNullable<ParseArgsConfig['options']> {
  const entries = Object.entries(specs).map(([name, { value, many, short }]) => {
    const type = value === undefined ? ('boolean' as const) : ('string' as const);
    return [name, { type, multiple: many ?? false, ...(short !== undefined && { short }) }] as const;
  });
  return Object.fromEntries(entries);
}

/** `npx deployer deploy ENV [--branch B] [--wait]`. */
export function usage(verb: Verb | undefined): string {
  if (verb === undefined) return `${COMMAND} help`;
  const options = Object.entries(verb.options).map(
    ([name, { value, many }]) =>
      `[--${name}${value === undefined ? '' : ` ${value}`}]${many === true ? '…' : ''}`,
  );
  return [COMMAND, verb.name, ...verb.arguments, ...options].join(' ');
}
