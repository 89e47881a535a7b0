import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../openapi/check.ts';
import { readDescription } from '../../openapi/description.ts';

const description = readDescription(
  JSON.stringify({
    openapi: '3.0.3',
    components: {
      parameters: { page: { name: 'page', in: 'query', schema: { type: 'integer' } } },
      schemas: { url: { type: 'string' } },
    },
    paths: {
      '/repos/{owner}/{repo}/hooks': {
        get: { parameters: [{ $ref: '#/components/parameters/page' }] },
        post: {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['name'],
                  properties: {
                    name: { type: 'string', nullable: true },
                    config: { type: 'object', properties: { url: { $ref: '#/components/schemas/url' } } },
                  },
                },
              },
            },
          },
        },
      },
      '/repos/{owner}/{repo}/git/{ref}': { get: {} },
    },
  }),
);

const check = (method: string, path: string, body?: unknown, query = {}) =>
  problemsOf(description, { method, path, body, query });

describe('a request against an OpenAPI description', () => {
  it('is as described', () => {
    expect(check('GET', '/repos/o/r/hooks', undefined, { page: '2' })).toEqual([]);
    expect(check('POST', '/repos/o/r/hooks', { name: null, config: { url: 'x' } })).toEqual([]);
    expect(check('GET', '/repos/o/r/git/heads/a/b')).toEqual([]);
  });

  it.each([
    ['DELETE', '/repos/o/r/hooks', undefined, {}, /there is no such operation/],
    ['GET', '/repos/o/hooks', undefined, {}, /there is no such operation/],
    ['GET', '/repos/o/r/hooks', undefined, { page: 'two' }, /page=two is not as described/],
    ['GET', '/repos/o/r/hooks', undefined, { colour: 'red' }, /there is no parameter colour/],
    ['GET', '/repos/o/r/hooks', { name: 'x' }, {}, /it takes no body/],
    ['POST', '/repos/o/r/hooks', undefined, {}, /the body is missing/],
    ['POST', '/repos/o/r/hooks', {}, {}, /the body: .*name/],
    ['POST', '/repos/o/r/hooks', { name: 'x', colour: 'red' }, {}, /the body: .*colour/],
    ['POST', '/repos/o/r/hooks', { name: 'x', config: { url: 1 } }, {}, /the body: .*config.url/],
    ['POST', '/repos/o/r/hooks', { name: 'x', config: { color: 1 } }, {}, /the body: .*color/],
  ])('%s %s with %j %j is not', (method, path, body, query, problem) => {
    expect(check(method, path, body, query)).toEqual([expect.stringMatching(problem)]);
  });
});
