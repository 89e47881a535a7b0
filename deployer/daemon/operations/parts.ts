import type { Knex } from 'knex';
import type { Conductor } from '../../deployment/conductor.ts';
import type { Tools } from '../../deployment/work.ts';
import type { createOutbox } from '../../forge/outbox.ts';
import type { Reconciler } from '../../reconcile/reconciler.ts';
import type { Upgrade } from '../../upgrade/upgrade.ts';
import type { BackupOperations } from '../backup-operations.ts';
import type { LookUp } from '../live.ts';
import type { Rehearsals } from '../rehearsals.ts';
import type { Schedule } from '../schedule.ts';
import type { Supervisor } from '../supervise.ts';

/** The rooms of the house that operations work with. */
export interface Parts {
  state: Knex;
  tools: Tools;
  conductor: Conductor;
  reconciler: Reconciler;
  rehearsals: Pick<Rehearsals, 'kick' | 'problems'>;
  supervisor: Supervisor;
  outbox: ReturnType<typeof createOutbox>;
  lookUp: LookUp;
  backups: BackupOperations;
  schedule: Pick<Schedule, 'problems'>;
  upgrade: Pick<Upgrade, 'problems'>;
  /** False while what an earlier daemon left is being brought to a known state. */
  recovered: () => boolean;
}
