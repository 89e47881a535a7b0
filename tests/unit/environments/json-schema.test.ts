import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchema } from '../../../environments/write-json-schema.ts';

const DIRECTORY = new URL('../../../environments/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, DIRECTORY), 'utf8');

it('environments/schema.json is up to date: node environments/write-json-schema.ts, then prettier', () => {
  expect(JSON.parse(read('schema.json'))).toEqual(JSON.parse(jsonSchema()));
});

describe('the JSON Schema for editors', () => {
  const schema = z.fromJSONSchema(JSON.parse(read('schema.json')));
  const dev: Record<string, unknown> = parse(read('dev.yaml'));

  it.each(readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml')))('accepts %s', (name) => {
    expect(schema.safeParse(parse(read(name))).error).toBeUndefined();
    expect(read(name)).toMatch(/^# yaml-language-server: \$schema=\.\/schema\.json\n/);
  });

  it.each([
    ['an unknown key', { lisen: 'x' }],
    ['an unknown key in a section', { boot: { timout: '1s' } }],
    ['a duration without a unit', { boot: { timeout: '30' } }],
    ['a name with a capital letter', { name: 'Dev' }],
    ['an unknown database', { database: { client: 'mysql' } }],
    ['an unknown way to revert', { revert: 'force' }],
    ['no command to start', { commands: { install: 'x' } }],
  ])('refuses %s', (_what, more) => {
    expect(schema.safeParse({ ...dev, ...more }).success).toBe(false);
  });
});
