import type { Knex } from 'knex';
import type { Instance, InstanceRegistry } from './work.ts';

interface InstanceRow {
  environment: string;
  slot: string;
  deployment_id: string;
  pid: number;
  start_time: string;
}

/** The instances that were started, in the deployer's own state. */
export function instanceRegistry(state: Knex): InstanceRegistry {
  const rows = () => state<InstanceRow>('instances');
  return {
    async put({ environment, slot, deployment, process }) {
      await rows()
        .insert({
          environment,
          slot,
          deployment_id: deployment,
          pid: process.pid,
          start_time: process.startTime,
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
  return {
    environment: row.environment,
    slot: row.slot,
    deployment: row.deployment_id,
    process: { pid: row.pid, startTime: row.start_time },
  };
}
