import type { Application } from './application.ts';
import type { Registry } from './registry.ts';

/** What a contestant gets. */
export interface Place {
  /** Empty, its own, removed afterwards. */
  directory: string;
  /** Where packages were or will be installed by name, shared by those who need the same. */
  packages: string;
  registry: Registry;
  /** What ends a process that was just started; called in reverse order, whatever happens. */
  atEnd(work: () => Promise<void>): void;
}

/** Where the time of the last deployment went, in milliseconds, in order. */
export type Breakdown = { part: string; ms: number }[];

/** A way to deploy the small application; all of them the same commits. */
export interface Contestant {
  readonly application: Application;
  /** The port on 127.0.0.1 where visitors come. */
  readonly front: number;
  /** The file of the database that is live now. */
  database(): Promise<string>;
  /** Deploys the newest commit, from `git push` on; may resolve before or after it is live. */
  deploy(): Promise<void>;
  /** Goes back by one, as an operator would; `down`: to this migration, where it has to be said. */
  rollback(down: string | null): Promise<void>;
  /** The same without what an operator's command costs, where there is such a way. */
  rollbackByApi?(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  rest(): Promise<void>;
  breakdown?(): Promise<Breakdown>;
}

export interface Entry<C extends Contestant = Contestant> {
  name: string;
  about: string;
  /**
   * Starts it, with the first commit live.
   * @throws Absent when it cannot be had on this machine
   */
  prepare(place: Place): Promise<C>;
}

/** A contestant that cannot be installed here, and why. */
export class Absent extends Error {
  override name = 'Absent';
}
