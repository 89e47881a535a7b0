import { z } from 'zod';
import { oneLine } from '../problem.ts';
import { tellingWords } from './last-words.ts';

/** What an instance wrote, told apart: a structured log has one JSON object a line, anything else is text. */
interface Entry {
  /** As it is shown: of a logged error its trace. */
  lines: string[];
  /** `well` is structured and below a warning; of text nobody knows. */
  kind: 'error' | 'well' | 'text';
  /** The trace of a logged error. */
  stack: string | null;
}

/** pino's numbers from 50 on, or the names that most others give. */
const ERROR = 50;
const WARNING = 40;
const NAMED: Readonly<Record<string, number>> = { warn: 40, warning: 40, error: 50, critical: 60, fatal: 60 };
const LINES_OF_A_TRACE = 8;

const structured = z.object({
  level: z.union([z.number(), z.string().transform((name) => NAMED[name.toLowerCase()] ?? 0)]),
  err: z.object({ stack: z.string() }).optional().catch(undefined),
});

/** Each thing that was written, once: the same error for many requests says no more than the first. */
export function entriesOf(output: string): Entry[] {
  const entries = output.split('\n').map(entryOf);
  const seen = new Set<string>();
  return entries.filter(({ stack }) => stack === null || (!seen.has(stack) && seen.add(stack)));
}

function entryOf(line: string): Entry {
  const entry = line.startsWith('{') ? structured.safeParse(jsonOf(line)).data : undefined;
  if (!entry) return { lines: [line], kind: 'text', stack: null };
  const isError = entry.level >= ERROR;
  const stack = isError ? (entry.err?.stack ?? null) : null;
  const lines = stack === null ? [line] : stack.split('\n').slice(0, LINES_OF_A_TRACE);
  return { lines, stack, kind: isError ? 'error' : entry.level < WARNING ? 'well' : 'text' };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** The first error with its place: `app/documents/list.ts:23: TypeError: …`, as a structured log or a trace tells it; null: none. */
export function firstLogged(output: string, release: string): string | null {
  const logged = entriesOf(output).find((entry) => entry.stack !== null)?.stack;
  const words = tellingWords(logged ?? firstTrace(output), release);
  return logged !== undefined || /^\S+:\d+: /.test(words) ? oneLine(words, 200) : null;
}

/** What an error is called at the beginning of a line, and the indented lines after it; of Python the other way round. */
function firstTrace(output: string): string {
  const trace = /^(?:[\w.]*(?:Error|Exception)\b.*(?:\n[ \t]+.*)+|Traceback \(.*(?:\n[ \t]+.*)+\n.*)/m;
  return trace.exec(output)?.[0] ?? '';
}
