import { parseDocument } from 'yaml';
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
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) throw new EnvironmentError(`${file}: ${firstLine(problem.message)}`);
  const result = environmentSchema.safeParse(toValue(document, file));
  if (!result.success) {
    const { issues } = result.error;
    // A misspelt key explains the missing one, so it goes first.
    const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
    const path = issue?.path.join('.') || 'the file';
    throw new EnvironmentError(`${file}: ${path}: ${issue?.message ?? 'is not valid'}`);
  }
  const expected = file.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
  if (result.data.name !== expected) {
    throw new EnvironmentError(
      `${file}: name: expected "${expected}", as the file is called, got "${result.data.name}"`,
    );
  }
  return result.data;
}

/** Aliases that point nowhere, or multiply without end, are found only here. */
function toValue(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    throw new EnvironmentError(`${file}: ${firstLine(String(error))}`, { cause: error });
  }
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? text;
