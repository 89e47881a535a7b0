import { COMMAND } from '../command.ts';
import { UsageError } from '../problem.ts';
import { glance, parseVerb, usage } from './args.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { findDaemon } from './connection.ts';
import { toResult } from './failure.ts';
import { findVerb, isCalled, generalHelp, verbHelp } from './help.ts';
import type { Io } from './io.ts';
import type { Result } from './outcome.ts';
import { EXIT_CODES, toJson } from './outcome.ts';
import { createPaint } from './text/paint.ts';
import type { Verb } from './verb.ts';
import { loadVerbs } from './verbs.ts';

/** The command line of contract section 6. Resolves with the exit code; nothing is thrown. */
export async function main(argv: string[], io: Io): Promise<number> {
  const verbs = await loadVerbs(argv);
  const { words, wantsJson, wantsHelp, wantsVersion } = glance(argv, verbs);
  const where = `${COMMAND} ${words.join(' ')}`.trimEnd();
  const right = usage(verbs.find((verb) => isCalled(verb, words)));
  const result = await perform().catch((error: unknown) => toResult(error, where, right, io.signal.aborted));
  return tell(result, wantsJson, io);

  async function perform(): Promise<Result> {
    if (wantsVersion) return ownVersion();
    const [first, ...rest] = words;
    if (first === undefined || first === 'help' || wantsHelp) {
      return first === 'help' ? help(verbs, rest, true) : help(verbs, words, wantsHelp);
    }
    const verb = findVerb(words, verbs);
    const args = parseVerb(argv, verb);
    let made: Client | undefined;
    const client = () => (made ??= createClient(findDaemon(io), io.signal));
    return verb.run({ io, args, wantsJson, client, paint: createPaint(io, io.stdout) });
  }
}

/** Without any word it is wrong usage, and says what would be right. */
function help(verbs: readonly Verb[], words: string[], wantsHelp: boolean): Result {
  if (words.length > 0) {
    const text = verbHelp(findVerb(words, verbs));
    return said(text, { usage: text });
  }
  if (!wantsHelp) throw new UsageError('a verb is missing');
  return said(generalHelp(verbs), { usage: generalHelp(verbs) });
}

async function ownVersion(): Promise<Result> {
  const { version } = await import('../version.ts');
  return said(version(), { version: version() });
}

function said(text: string, details: object): Result {
  return { outcome: 'ok', details, text };
}

/** One object, or text: on stdout what was asked for, on stderr why it cannot be. */
function tell(result: Result, wantsJson: boolean, io: Io): number {
  const isGood = EXIT_CODES[result.outcome] === 0;
  if (wantsJson) io.stdout.write(toJson(result));
  else if (result.text !== '') {
    const hasDeployment = isGood || 'id' in Object(result.details);
    (hasDeployment ? io.stdout : io.stderr).write(`${result.text}\n`);
  }
  return result.exitCode ?? EXIT_CODES[result.outcome];
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** npm passes on what the terminal has already sent to the whole group: within this many milliseconds it is the same one. */
const ECHO_MS = 1000;

/** The command line as a process: its signals, its streams, its exit code. */
export async function program(): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => {
    interrupted.abort();
    // The second one ends at once, as the system does by itself.
    setTimeout(() => SIGNALS.forEach((signal) => process.off(signal, interrupt)), ECHO_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const { stdout, stderr, env } = process;
  // `| head` is content.
  stdout.on('error', () => process.exit(EXIT_CODES.failed));
  process.exitCode = await main(process.argv.slice(2), {
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    signal: interrupted.signal,
  });
}

if (import.meta.main) await program();
