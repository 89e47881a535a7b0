import { z } from 'zod';

/** An OpenAPI 3.0 description, as much of it as requests are checked against. */

const parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: z.record(z.string(), z.unknown()).optional(),
});
const operation = z.object({
  parameters: z.array(z.unknown()).default([]),
  requestBody: z.unknown().optional(),
});
const requestBody = z.object({
  required: z.boolean().optional(),
  content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })),
});
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

type Schema = Record<string, unknown>;

export interface Operation {
  /** `GET /repos/{owner}/{repo}` */
  name: string;
  query: { name: string; required: boolean; schema: z.ZodType }[];
  /** null: it takes none. */
  body: { required: boolean; schema: z.ZodType } | null;
}

export interface Description {
  /** The operation of a path as it was sent, the most literal one where several fit. */
  find(method: string, path: string): Operation | null;
}

/** @throws when the document is no OpenAPI description */
export function readDescription(text: string): Description {
  const document = z.object({
    openapi: z.string(),
    paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  });
  const whole: unknown = JSON.parse(text);
  const { paths } = document.parse(whole);
  const routes = Object.keys(paths)
    .map((template) => ({ template, pattern: patternOf(template), wild: template.split('{').length }))
    .toSorted((a, b) => a.wild - b.wild);
  return {
    find(method, path) {
      const verb = method.toLowerCase();
      const route = routes.find(
        ({ template, pattern }) => pattern.test(path) && paths[template]?.[verb] !== undefined,
      );
      if (!route || !METHODS.includes(verb)) return null;
      return operationOf(whole, `${method} ${route.template}`, paths[route.template]?.[verb]);
    },
  };
}

/** GitHub takes slashes in these as they are. */
function patternOf(template: string): RegExp {
  const source = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    /^(ref|path|branch|basehead)$/.test(name) ? '.+' : '[^/]+',
  );
  return new RegExp(`^${source}$`);
}

function operationOf(document: unknown, name: string, raw: unknown): Operation {
  const { parameters, requestBody: rawBody } = operation.parse(raw);
  const all = parameters.map((one) => parameter.parse(resolve(document, one)));
  const body = rawBody === undefined ? null : requestBody.parse(resolve(document, rawBody));
  const json = body?.content['application/json'];
  return {
    name,
    query: all
      .filter((one) => one.in === 'query')
      .map((one) => ({
        name: one.name,
        required: one.required ?? false,
        schema: schemaOf(resolve(document, one.schema ?? {})),
      })),
    body: json
      ? { required: body?.required ?? false, schema: schemaOf(resolve(document, json.schema)) }
      : null,
  };
}

const schemaOf = (schema: unknown): z.ZodType =>
  z.fromJSONSchema(strict(schema) as Schema, { defaultTarget: 'openapi-3.0' });

/** With every `$ref` put in. */
function resolve(document: unknown, node: unknown): unknown {
  if (Array.isArray(node)) return node.map((one) => resolve(document, one));
  if (typeof node !== 'object' || node === null) return node;
  if ('$ref' in node) return resolve(document, at(document, String(node.$ref)));
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(document, value)]));
}

function at(document: unknown, pointer: string): unknown {
  const steps = pointer.replace(/^#\//, '').split('/');
  return steps.reduce<unknown>((node, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined;
  }, document);
}

/** What GitHub does not describe it ignores: whoever sends it was mistaken. Alternatives describe parts of one object. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  const closed = 'properties' in node && !('additionalProperties' in node);
  const parts = ['anyOf', 'oneOf', 'allOf'].some((key) => key in node);
  return closed && !parts ? { ...inner, additionalProperties: false } : inner;
}
