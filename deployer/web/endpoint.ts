import type { Request, Response } from 'express';
import type { z } from 'zod';
import { NEWEST, type Operations } from '../operations.ts';
import { HttpError } from './errors.ts';
import { nothing } from './requests.ts';
import { parameters, requestedBy } from './schemas.ts';

type Parameter = keyof typeof parameters;
type Query = z.ZodObject;

/** One request of the API: what it takes and answers, as OpenAPI describes it, and what it does. */
export interface Endpoint {
  method: 'get' | 'post' | 'delete';
  /** As OpenAPI writes it: `/api/environments/{environment}`. */
  path: string;
  summary: string;
  query: Query;
  body: z.ZodType;
  /** By media type; `null` is text. */
  answers: Record<string, z.ZodType | null>;
  /** A GET that needs the token wherever it comes from: it answers the application's own data, or starts its programs. */
  secret?: true;
  respond(operations: Operations, request: Request, response: Response): Promise<void>;
}

export interface Input<Q, B> {
  environment: string;
  deployment: string;
  /** null: the newest. */
  backup: string | null;
  query: Q;
  body: B;
  by: string;
}

interface Reading<Q extends Query> {
  summary: string;
  query: Q;
  answer: z.ZodType;
  secret?: true;
  read(operations: Operations, input: Input<z.output<Q>, unknown>): Promise<unknown>;
}

/** A GET that answers JSON. */
export function reading<Q extends Query>(path: string, spec: Reading<Q>): Endpoint {
  const { query } = spec;
  return {
    method: 'get',
    path,
    summary: spec.summary,
    query,
    body: nothing,
    answers: { 'application/json': spec.answer },
    ...(spec.secret && { secret: spec.secret }),
    async respond(operations, request, response) {
      const input = { ...named(request), query: query.parse(request.query) };
      response.json(await spec.read(operations, input));
    },
  };
}

interface Changing<B extends z.ZodType, A> {
  summary: string;
  body: B;
  answer: z.ZodType<A>;
  change(operations: Operations, input: Input<unknown, z.output<B>>): Promise<A>;
  /** The deployment that came of it; without one the environment is the address of the answer. */
  deployment?(answer: A): string;
}

/** A POST or DELETE: answers 202, the address of what came of it, and that as JSON. */
export function changing<B extends z.ZodType, A>(
  method: 'post' | 'delete',
  path: string,
  spec: Changing<B, A>,
): Endpoint {
  return {
    method,
    path,
    summary: spec.summary,
    query: nothing,
    body: spec.body,
    answers: { 'application/json': spec.answer },
    async respond(operations, request, response) {
      nothing.parse(request.query);
      const input = { ...named(request), body: spec.body.parse(bodyOf(request)) };
      const answer = await spec.change(operations, input);
      const location = spec.deployment
        ? `/api/deployments/${spec.deployment(answer)}`
        : `/api/environments/${input.environment}`;
      response.status(202).location(location).json(answer);
    },
  };
}

/** What the address and the header name; a name that cannot be one is unknown. */
export function named(request: Request): Input<unknown, unknown> {
  return {
    environment: parameter(request, 'environment'),
    deployment: parameter(request, 'deployment'),
    backup: backupOf(request),
    query: undefined,
    body: undefined,
    by: requestedBy.parse(request.get('X-Requested-By')),
  };
}

function backupOf(request: Request): string | null {
  const id = parameter(request, 'backup');
  return id === NEWEST ? null : id;
}

/** Empty where the address has no such part. */
function parameter(request: Request, name: Parameter): string {
  const text = request.params[name];
  if (text === undefined) return '';
  const parsed = parameters[name].safeParse(text);
  if (!parsed.success) throw new HttpError(404, `there is no ${name} of this name`);
  return parsed.data;
}

function bodyOf(request: Request): unknown {
  const length = request.get('content-length') ?? '0';
  const isSent = length !== '0' || request.get('transfer-encoding') !== undefined;
  if (isSent && !request.is('json')) throw new HttpError(415, 'the body must be application/json');
  return request.body ?? {};
}
