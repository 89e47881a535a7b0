import { z } from 'zod';
import type { Description, Operation } from './description.ts';

/** A request as the double of GitHub recorded it. */
export const recordedRequest = z.object({
  method: z.string(),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  body: z.unknown().optional(),
});
type RecordedRequest = z.infer<typeof recordedRequest>;

/** What of a request is not as GitHub describes it. */
export function problemsOf(description: Description, request: RecordedRequest): string[] {
  const operation = description.find(request.method, request.path);
  if (!operation) return [`${request.method} ${request.path}: there is no such operation`];
  return [...queryProblems(operation, request.query), ...bodyProblems(operation, request.body)].map(
    (problem) => `${operation.name}: ${problem}`,
  );
}

function queryProblems(operation: Operation, query: Record<string, string>): string[] {
  const missing = operation.query
    .filter(({ name, required }) => required && query[name] === undefined)
    .map(({ name }) => `the parameter ${name} is missing`);
  const wrong = Object.entries(query).flatMap(([name, value]) => {
    const known = operation.query.find((one) => one.name === name);
    if (!known) return [`there is no parameter ${name}`];
    // In an address everything is text.
    const meant: unknown[] = [value, ...(/^(\d+|true|false)$/.test(value) ? [JSON.parse(value)] : [])];
    return meant.some((one) => known.schema.safeParse(one).success)
      ? []
      : [`${name}=${value} is not as described`];
  });
  return [...missing, ...wrong];
}

function bodyProblems({ body }: Operation, sent: unknown): string[] {
  if (sent === undefined) return body?.required ? ['the body is missing'] : [];
  if (!body) return ['it takes no body'];
  const parsed = body.schema.safeParse(sent);
  return parsed.success ? [] : [`the body: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`];
}
