import type { Client } from './client.ts';
import type { Io } from './io.ts';
import type { Result } from './outcome.ts';
import type { Paint } from './text/paint.ts';

export interface OptionSpec {
  help: string;
  /** What stands for the value in the help; without one it is a flag. */
  value?: string;
  /** May be given more than once. */
  many?: boolean;
  short?: string;
}

/** What was given to a verb: its arguments by name, its options by kind. */
export interface Args {
  argument(name: string): string;
  optional(name: string): string | undefined;
  text(option: string): string | undefined;
  list(option: string): string[];
  flag(option: string): boolean;
}

/** What a verb works with. */
export interface Context {
  io: Io;
  args: Args;
  wantsJson: boolean;
  /** Made when first asked for: `start` needs none. */
  client: () => Client;
  /** Colours of stdout. */
  paint: Paint;
}

export interface Verb {
  /** One word or two: `backup create`. */
  name: string;
  /** In order; an optional one in brackets. */
  arguments: readonly string[];
  summary: string;
  options: Record<string, OptionSpec>;
  run(context: Context): Promise<Result>;
}
