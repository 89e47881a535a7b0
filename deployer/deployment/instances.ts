import type { Knex } from 'knex';
import { z } from 'zod';
import type { Instance, InstanceRegistry } from './work.ts';

interface InstanceRow {
  environment: string;
  slot: string;
  deployment_id: string;
  /** JSON: the process, and `given`. */
  handle: string;
}

const handleSchema = z.union([
  z.object({ pid: z.number().int(), startTime: z.string() }),
  z.object({ unit: z.string(), start: z.string(), invocation: z.string() }),
]);

const givenSchema = z.object({ given: z.string().nullable().default(null) });

/** The instances that were started, in the deployer's own state. */
export function instanceRegistry(state: Knex): InstanceRegistry {
  const rows = () => state<InstanceRow>('instances');
  return {
    async put({ environment, slot, deployment, process, given }) {
      await rows()
        .insert({
          environment,
          slot,
          deployment_id: deployment,
          handle: JSON.stringify({ ...process, given }),
        })
        .onConflict(['environment', 'slot'])
        .merge();
    },
    async drop(environment, slot) {
      await rows().where({ environment, slot }).delete();
    },
    async get(environment, slot) {
      const row = await rows().where({ environment, slot }).first();
      return row ? toInstance(row) : null;
    },
    async all() {
      return (await rows()).map(toInstance);
    },
  };
}

function toInstance(row: InstanceRow): Instance {
  const handle: unknown = JSON.parse(row.handle);
  return {
    environment: row.environment,
    slot: row.slot,
    deployment: row.deployment_id,
    process: handleSchema.parse(handle),
    given: givenSchema.parse(handle).given,
  };
}
