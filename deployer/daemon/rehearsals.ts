import type { Knex } from 'knex';
import type { Conductor } from '../deployment/conductor.ts';
import { createRehearser } from '../deployment/rehearser.ts';
import type { Tools } from '../deployment/work.ts';
import { createPulls } from '../reconcile/pulls.ts';
import { createRedelivery } from '../reconcile/redelivery.ts';
import { pruneReleases } from './prune.ts';

export type Rehearsals = ReturnType<typeof createRehearsals>;

/** What watches pull requests, and rehearses them beside the deployments. */
export function createRehearsals(parts: { state: Knex; tools: Tools; conductor: Conductor }) {
  const { state, tools, conductor } = parts;
  const rehearser = createRehearser({ tools, conductor, onEnded: () => pruneReleases(tools, state) });
  const pulls = createPulls({ state, ...tools, rehearser });
  const redelivery = createRedelivery(tools);
  return {
    /** A rehearsal was asked for. */
    kick: rehearser.kick,
    look: () => void pulls.look(),
    problems: pulls.problems,
    /** Once what an earlier daemon left is in a known state. */
    start(): void {
      rehearser.start();
      redelivery.start();
    },
    async stop(): Promise<void> {
      redelivery.stop();
      await pulls.stop();
      await rehearser.stop();
    },
  };
}
