import type { Operations } from '../../operations.ts';
import { locks } from './locks.ts';
import type { Parts } from './parts.ts';
import { programs } from './programs.ts';
import { questions } from './questions.ts';
import { removal } from './removal.ts';
import { requests } from './requests.ts';

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
