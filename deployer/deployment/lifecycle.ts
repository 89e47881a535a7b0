/**
 * The life of a deployment. `live` means that visitors reach it and it is being watched;
 * `reverting`, that it is being taken back. Only the journal moves a deployment along.
 */
export const PHASES = ['waiting', 'running', 'switching', 'live', 'reverting', 'finished'] as const;
export type Phase = (typeof PHASES)[number];
export type Unfinished = Exclude<Phase, 'finished'>;

export const TRANSITIONS: Readonly<Record<Phase, readonly Phase[]>> = {
  // A commit whose tree is already live, a refusal and a superseded one end without having run.
  waiting: ['running', 'finished'],
  // Back to waiting: the daemon died before the switch, and the deployment starts afresh.
  running: ['waiting', 'switching', 'finished'],
  // Back to running: the hold on writes was lost, and the cutover is tried again.
  switching: ['running', 'waiting', 'live', 'finished'],
  live: ['reverting', 'finished'],
  reverting: ['finished'],
  finished: [],
};

/** @throws Error when the table has no such transition: a defect, not an operator's problem */
export function assertTransition(from: Phase, to: Phase): void {
  if (!TRANSITIONS[from].includes(to)) throw new Error(`a deployment cannot go from ${from} to ${to}`);
}
