// Writes environments/schema.json, for editors, from the definition that validates: node environments/write-json-schema.ts
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { environmentSchema } from './schema.ts';

/** The JSON Schema of an environment's file, as text. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(environmentSchema, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ title: 'An environment of the deployer', ...schema }, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(new URL('schema.json', import.meta.url), jsonSchema());
