import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { environmentSchema, type Environment } from './schema.ts';

/** What is wrong in an environment's file: one line that names the file, the path in it, and what was expected. */
export class EnvironmentError extends Error {
  override name = 'EnvironmentError';
}

/**
 * Parses the text of `environments/<name>.yaml`.
 * @param file the path in the tree, for messages; its base name must be the environment's name
 * @throws EnvironmentError
 */
export function parseEnvironment(text: string, file: string): Environment {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, lineCounter: lines });
  const [problem] = document.errors;
  if (problem) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new EnvironmentError(`${file}:${line}: is no YAML: ${firstLine(problem.message)}`);
  }
  const result = environmentSchema.safeParse(toValue(document, file));
  if (!result.success) {
    const { path, message } = firstIssue(result.error);
    const line = lineOf(document, path, lines);
    throw new EnvironmentError(`${line ? `${file}:${line}` : file}: ${message}`);
  }
  const expected = file.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
  if (result.data.name !== expected) {
    throw new EnvironmentError(
      `${file}: name: expected "${expected}", as the file is called, got "${result.data.name}"`,
    );
  }
  return result.data;
}

/** A misspelt key explains the missing one, so it goes first. */
function firstIssue({ issues }: z.ZodError): { path: PropertyKey[]; message: string } {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const where = (path: PropertyKey[]) => (path.length > 0 ? `${path.join('.')}: ` : '');
  if (unknown) {
    const { path, keys } = unknown;
    const message = `${where(path)}unknown key "${keys[0]}": environments/schema.json lists those that there are`;
    return { path: [...path, keys[0] ?? ''], message };
  }
  const { path = [], message = 'is not valid' } = issues[0] ?? {};
  return { path, message: `${where(path)}${inWords(message)}` };
}

/** zod's `Invalid input: expected string, received undefined`, as who wrote the file would say it. */
const inWords = (message: string) =>
  message
    .replace(/^Invalid input: expected (.+), received undefined$/, 'is missing, expected $1')
    .replace(/^Invalid input: /, '');

/** The line of what a path leads to, or of the nearest thing around it that is there; null: of nothing. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

/** Aliases that point nowhere, or multiply without end, are found only here. */
function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    throw new EnvironmentError(`${file}: ${firstLine(String(error))}`, { cause: error });
  }
}

/** Without the place, which is told in front: the text itself follows it. */
const firstLine = (text: string) =>
  (text.split('\n', 1)[0] ?? text).replace(/ at line \d+, column \d+:$/, '');
