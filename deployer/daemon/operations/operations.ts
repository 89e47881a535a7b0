import type { Knex } from 'knex';
import type { Conductor } from '../../deployment/conductor.ts';
import type { Tools } from '../../deployment/work.ts';
import type { createOutbox } from '../../forge/outbox.ts';
import type { Operations } from '../../operations.ts';
import type { Reconciler } from '../../reconcile/reconciler.ts';
import type { Upgrade } from '../../upgrade/upgrade.ts';
import type { BackupOperations } from '../backup-operations.ts';
import type { LookUp } from '../live.ts';
import type { Rehearsals } from '../rehearsals.ts';
import type { Schedule } from '../schedule.ts';
import type { Supervisor } from '../supervise.ts';
import { locks } from './locks.ts';
import { programs } from './programs.ts';
import { questions } from './questions.ts';
import { removal } from './removal.ts';
import { requests } from './requests.ts';

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

/** What people and programs can ask of the deployer, on the rooms of the house. */
export function createOperations(parts: Parts): Operations {
  const answers = questions(parts);
  return {
    ...answers,
    ...requests(parts, answers.deployment),
    ...programs(parts, answers.deployment),
    ...locks(parts),
    ...parts.backups.operations,
    ...removal(parts),
  };
}
