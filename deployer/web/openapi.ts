import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { nothing } from './requests.ts';
import { parameters, problem } from './schemas.ts';

type Schema = Record<string, unknown>;

/** OpenAPI 3.1 of the endpoints, from the schemas that validate. */
export function openApi(endpoints: readonly Endpoint[], url: string, version: string): Schema {
  const paths: Record<string, Schema> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Deployer', version },
    servers: [{ url }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

function operation(endpoint: Endpoint): Schema {
  const isChange = endpoint.method !== 'get';
  const mayPassWithout = isChange || endpoint.secret ? [] : [{}];
  return {
    summary: endpoint.summary,
    security: [...mayPassWithout, { token: [] }],
    parameters: [
      ...pathParameters(endpoint),
      ...queryParameters(endpoint),
      ...(isChange ? [REQUESTED_BY] : []),
    ],
    ...(endpoint.body === nothing ? {} : { requestBody: { content: json(endpoint.body, 'input') } }),
    responses: {
      [isChange ? 202 : 200]: {
        description: isChange ? 'Accepted' : 'OK',
        ...(isChange && { headers: { Location: { schema: { type: 'string' } } } }),
        content: answers(endpoint),
      },
      default: {
        description: 'What is wrong',
        content: { 'application/problem+json': { schema: schema(problem) } },
      },
    },
  };
}

const REQUESTED_BY = {
  name: 'X-Requested-By',
  in: 'header',
  description: 'who asks, for the record',
  schema: { type: 'string', pattern: String.raw`^[\w.@:-]{1,60}$`, default: 'api' },
};

function pathParameters({ path }: Endpoint): Schema[] {
  return Object.entries(parameters)
    .filter(([name]) => path.includes(`{${name}}`))
    .map(([name, type]) => ({ name, in: 'path', required: true, schema: schema(type) }));
}

function queryParameters({ query }: Endpoint): Schema[] {
  return Object.entries(query.shape).map(([name, type]) => ({
    name,
    in: 'query',
    schema: schema(z.strictObject({ [name]: type }), 'input', name),
  }));
}

function answers(endpoint: Endpoint): Schema {
  const described = Object.entries(endpoint.answers).map(([media, type]) => [
    media,
    { schema: type === null ? { type: 'string' } : schema(type) },
  ]);
  return Object.fromEntries(described);
}

function json(type: z.ZodType, io: 'input' | 'output'): Schema {
  return { 'application/json': { schema: schema(type, io) } };
}

/** JSON Schema is what OpenAPI 3.1 uses; `property` picks one of an object. */
function schema(type: z.ZodType, io: 'input' | 'output' = 'output', property?: string): unknown {
  const { $schema: _, ...whole } = z.toJSONSchema(type, { io, target: 'draft-2020-12', reused: 'inline' });
  return property === undefined ? whole : whole.properties?.[property];
}
