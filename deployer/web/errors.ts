import { STATUS_CODES } from 'node:http';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Operations } from '../operations.ts';
import { FailedError, RefusedError, UsageError, oneLine } from '../problem.ts';
import type { Problem } from './schemas.ts';

/** An error of HTTP itself: its status and the sentence for whoever asked. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Any thrown value as a problem of RFC 9457. What was not foreseen is logged and says nothing of its inside. */
export function toProblem(error: unknown, request: Request, logger: Logger): Problem {
  if (error instanceof RefusedError) return problemOf(409, oneLine(error), 'refused');
  if (error instanceof UsageError) return problemOf(400, oneLine(error));
  if (error instanceof z.ZodError) return problemOf(400, describe(error));
  if (error instanceof HttpError) return problemOf(error.status, error.message);
  const status = httpStatus(error);
  if (status < 500) return problemOf(status, oneLine(error));
  logger.error({ err: error, method: request.method, path: request.path }, 'a request failed');
  if (error instanceof FailedError) return problemOf(500, oneLine(error), 'failed');
  return problemOf(500, 'an unexpected error; the log of the deployer has its details', 'failed');
}

export function sendProblem(response: Response, problem: Problem): void {
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

function problemOf(status: number, detail: string, outcome?: Problem['outcome']): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail, ...(outcome && { outcome }) };
}

/** Wrong usage is 400; but where what the address names does not exist, 404. */
export async function orNotFound<T>(
  operations: Operations,
  { params }: Request,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError && !(await isThere(operations, params))) {
      throw new HttpError(404, oneLine(error));
    }
    throw error;
  }
}

async function isThere(operations: Operations, names: Request['params']): Promise<boolean> {
  const { environment, deployment, backup } = names;
  // A body is judged by its schema: what is unknown then is the backup.
  if (typeof backup === 'string') return false;
  try {
    if (typeof environment === 'string') await operations.environment(environment);
    if (typeof deployment === 'string') await operations.deployment(deployment);
    return true;
  } catch (error) {
    return !(error instanceof UsageError);
  }
}

/** The first thing that is wrong: `reason: expected one line`. */
function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'the request is malformed';
  const where = issue.path.join('.');
  return oneLine(where === '' ? issue.message : `${where}: ${issue.message}`);
}

/** Express and its body parser name the status of a client's error. */
function httpStatus(error: unknown): number {
  const parsed = z.object({ status: z.number().int().min(400).max(599) }).safeParse(error);
  return parsed.success ? parsed.data.status : 500;
}
