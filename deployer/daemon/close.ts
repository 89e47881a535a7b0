import type { Server } from 'node:http';
import type { Knex } from 'knex';
import { closeBackupThreads } from '../../backups/index.ts';
import { closeDataThreads } from '../data/index.ts';
import type { Conductor } from '../deployment/conductor.ts';
import { stop } from '../deployment/instance.ts';
import type { Tools } from '../deployment/work.ts';
import type { createOutbox } from '../forge/outbox.ts';
import type { Forge } from '../forge/types.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Rehearsals } from './rehearsals.ts';
import type { Schedule } from './schedule.ts';
import type { Supervisor } from './supervise.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';

/** An instance gets this long to finish what is in flight. */
const STOP_MS = 10_000;

/** Ends the daemon's own parts, in the order in which they need each other; what is live goes on. */
export function closer(parts: {
  server: Server;
  state: Knex;
  conductor: Conductor;
  rehearsals: Rehearsals;
  supervisor: Supervisor;
  reconciler: Reconciler;
  schedule: Schedule;
  outbox: ReturnType<typeof createOutbox>;
  forge: Forge;
  forgetting: { stop(): Promise<void> };
  upgrade: Pick<Upgrade, 'stop'>;
  endLogCap: () => void;
  closeStarter: () => Promise<void>;
}): () => Promise<void> {
  return async () => {
    parts.endLogCap();
    parts.upgrade.stop();
    parts.server.close();
    parts.server.closeAllConnections();
    await parts.schedule.stop();
    await parts.reconciler.stop();
    await parts.rehearsals.stop();
    await parts.conductor.stop();
    await parts.supervisor.stop();
    parts.forge.close?.();
    await parts.outbox.stop();
    await parts.forgetting.stop();
    await closeDataThreads();
    await closeBackupThreads();
    await parts.closeStarter();
    await parts.state.destroy();
  };
}

/** Everything that belongs to this home, whoever started it. */
export async function stopInstances(tools: Tools, environments: readonly string[]): Promise<void> {
  await Promise.all(environments.map((name) => tools.frontDoor.stop(name)));
  const instances = await tools.instances.all();
  // Forgotten, they are not taken for crashed by the next start.
  await Promise.all(instances.map((instance) => stop(tools, instance, STOP_MS)));
}
