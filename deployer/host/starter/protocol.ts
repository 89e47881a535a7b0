import type {
  CommandResult,
  CommandSpec,
  Executed,
  Execution,
  ProcessHandle,
  ProcessSpec,
} from '../types.ts';

/** What the starter does: each takes a value that can be cloned, and answers one. */
export interface Jobs {
  command: { input: Omit<CommandSpec, 'signal' | 'log'>; output: CommandResult };
  execute: { input: Execution; output: Executed };
  start: { input: ProcessSpec; output: ProcessHandle };
}

/** What goes beside it while it runs. */
export interface Meanwhile {
  signal?: AbortSignal | undefined;
  /** Lines that a command writes. */
  log?: (line: string) => void;
}

export type Request =
  { [K in keyof Jobs]: { call: number; job: K; input: Jobs[K]['input'] } }[keyof Jobs] | { cancel: number };

export type Answer =
  | { call: number; line: string }
  | { call: number; value: Jobs[keyof Jobs]['output'] }
  /** `expected`: it is a `FailedError`, in words for the operator. */
  | { call: number; problem: string; expected: boolean };
